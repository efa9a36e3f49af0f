"""Assembles the seccomp filter from `policy`: pure, bytes out.

Guarantees: a foreign architecture or the x32 table kills the process; a call that is not listed
fails with EPERM; no file opens for writing; no memory is shared with another process; no memory
becomes executable except by mapping a file that is not writable there; `clone` either reaches the
listener (our own flags, exactly) or fails with EAGAIN.
"""

import os
import platform
import struct
from typing import Literal, TypeAlias

from workers.sandbox import policy

Forks: TypeAlias = Literal["permit", "free", "never"]

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
COLUMN = {"x86_64": 0, "aarch64": 1}
X32_BIT = 0x40000000

ALLOW = 0x7FFF0000
KILL = 0x80000000
NOTIFY = 0x7FC00000
EPERM, EAGAIN, EACCES, ENOTTY, ENOSYS = 1, 11, 13, 25, 38

LOAD, JUMP_EQUAL, JUMP_SET, JUMP_ABOVE, RETURN = 0x20, 0x15, 0x45, 0x35, 0x06

PROT_WRITE, PROT_EXEC = 2, 4
MAP_SHARED, MAP_ANONYMOUS, MAP_HUGETLB = 1, 0x20, 0x40000  # MAP_SHARED_VALIDATE has its bit too
O_TMPFILE_BIT = 0o20000000
WRITING = (
    os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_PATH | O_TMPFILE_BIT
)
TCGETS, FIONREAD, FIOCLEX = 0x5401, 0x541B, 0x5451
F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC = 1, 2, 3, 1030
RLIMIT_DATA, RLIMIT_AS = 2, 9

Code: TypeAlias = list[bytes]


class UnknownMachine(Exception):
    """No system call table for this processor."""


def assemble(forks: Forks, machine: str = "") -> bytes:
    """The filter for one family of processes; `forks` says whether `clone` with our flags needs a
    permit, is free, or never works."""
    machine = machine or platform.machine()
    if machine not in AUDIT_ARCH:
        raise UnknownMachine(f"no system call table for {machine}; known: {', '.join(AUDIT_ARCH)}")
    code = _prologue(machine)
    rules = _rules(forks)
    for name in (*rules, *policy.ALLOWED):
        number = policy.NUMBERS[name][COLUMN[machine]]
        if number is not None:
            body = rules.get(name) or [_answer(ALLOW)]
            code += [_op(JUMP_EQUAL, 0, len(body), number), *body]
    return b"".join([*code, _answer(_errno(EPERM))])


def _prologue(machine: str) -> Code:
    check = [_load(4), _op(JUMP_EQUAL, 1, 0, AUDIT_ARCH[machine]), _answer(KILL), _load(0)]
    if machine == "x86_64":
        check += [_op(JUMP_ABOVE, 0, 1, X32_BIT), _answer(KILL)]
    return check


def _rules(forks: Forks) -> dict[str, Code]:
    rules = {
        "open": _opening(1),
        "openat": _opening(2),
        "mmap": _mapping(),
        "mprotect": _unless_set(2, PROT_EXEC, EPERM),
        "sendmsg": _only(2, (0,), EPERM),  # without flags: no urgent data, no look ahead
        "recvmsg": _only(2, (0,), EPERM),
        "ioctl": _only(1, (TCGETS, FIONREAD, FIOCLEX), ENOTTY),
        "fcntl": _only(1, (F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC), EPERM),
        "prlimit64": _own_memory_limits(),
        "clone": _cloning(forks),
        "clone3": [_answer(_errno(ENOSYS))],
    }
    if forks == "free":  # the zygote without a listener: each child then filters itself
        rules |= {"seccomp": [_answer(ALLOW)]}
    return rules


def _cloning(forks: Forks) -> Code:
    """Compares both halves of the flags; a clone with other flags never reaches the listener."""
    verdict = {"permit": NOTIFY, "free": ALLOW, "never": _errno(EAGAIN)}[forks]
    return [
        *(_load(_low(0)), _op(JUMP_EQUAL, 0, 3, policy.CLONE_FLAGS)),
        *(_load(_high(0)), _op(JUMP_EQUAL, 0, 1, 0)),
        *(_answer(verdict), _answer(_errno(EAGAIN))),
    ]


def _mapping() -> Code:
    """Never shared, nor from the pool of huge pages, which no limit of memory counts; executable
    only from a file, and then not writable."""
    return [
        *(_load(_low(3)), _op(JUMP_SET, 5, 0, MAP_SHARED | MAP_HUGETLB)),
        *(_load(_low(2)), _op(JUMP_SET, 0, 4, PROT_EXEC), _op(JUMP_SET, 2, 0, PROT_WRITE)),
        *(_load(_low(3)), _op(JUMP_SET, 0, 1, MAP_ANONYMOUS)),
        *(_answer(_errno(EPERM)), _answer(ALLOW)),
    ]


def _own_memory_limits() -> Code:
    """Read any limit of its own; set the two of memory (which the kernel only lets it lower)."""
    return [
        *(_load(_low(0)), _op(JUMP_EQUAL, 0, 8, 0)),
        *(_load(_low(1)), _op(JUMP_EQUAL, 5, 0, RLIMIT_DATA), _op(JUMP_EQUAL, 4, 0, RLIMIT_AS)),
        *(_load(_low(2)), _op(JUMP_EQUAL, 0, 3, 0)),
        *(_load(_high(2)), _op(JUMP_EQUAL, 0, 1, 0)),
        *(_answer(ALLOW), _answer(_errno(EPERM))),
    ]


def _opening(argument: int) -> Code:
    return _unless_set(argument, WRITING, EACCES)


def _unless_set(argument: int, bits: int, error: int) -> Code:
    return [
        *(_load(_low(argument)), _op(JUMP_SET, 0, 1, bits)),
        *(_answer(_errno(error)), _answer(ALLOW)),
    ]


def _only(argument: int, values: tuple[int, ...], error: int) -> Code:
    tests = [_op(JUMP_EQUAL, len(values) - i, 0, value) for i, value in enumerate(values)]
    return [_load(_low(argument)), *tests, _answer(_errno(error)), _answer(ALLOW)]


def _low(argument: int) -> int:
    return 16 + 8 * argument


def _high(argument: int) -> int:
    return _low(argument) + 4


def _load(offset: int) -> bytes:
    return _op(LOAD, 0, 0, offset)


def _answer(action: int) -> bytes:
    return _op(RETURN, 0, 0, action)


def _errno(number: int) -> int:
    return 0x00050000 | number


def _op(code: int, if_true: int, if_false: int, operand: int) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, operand)
