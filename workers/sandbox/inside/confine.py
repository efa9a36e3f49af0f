"""The kernel's protections, by ctypes: Landlock, seccomp, capabilities, limits, and the fork.

Everything here is called once in the zygote, before any user code, and inherited from then on;
only `fork_sibling` and `limit_memory` are called again in nodes.
"""

import ctypes
import errno
import os
import platform
import resource
import struct
from collections.abc import Iterable
from typing import NoReturn

NUMBERS = {  # clone, capset, seccomp
    "x86_64": (56, 126, 317),
    "aarch64": (220, 91, 277),
}
SYS_CLONE, SYS_CAPSET, SYS_SECCOMP = NUMBERS[platform.machine()]
SYS_LANDLOCK_CREATE, SYS_LANDLOCK_ADD, SYS_LANDLOCK_RESTRICT = 444, 445, 446
PR_SET_DUMPABLE, PR_SET_NAME, PR_SET_NO_NEW_PRIVS = 4, 15, 38
SECCOMP_SET_FILTER, NEW_LISTENER = 1, 8
CAPABILITY_VERSION_3 = 0x20080522
READ_FILE, READ_DIR = 1 << 2, 1 << 3
NOBODY = 65534

# PyDLL keeps the interpreter lock: no Python code may run between a clone and what follows it.
_libc = ctypes.PyDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_clone = _libc["syscall"]  # a separate function object that takes plain numbers
_clone.argtypes = (ctypes.c_long,) * 6
_clone.restype = ctypes.c_long
_before_fork = ctypes.pythonapi.PyOS_BeforeFork
_after_fork_child = ctypes.pythonapi.PyOS_AfterFork_Child
_after_fork_parent = ctypes.pythonapi.PyOS_AfterFork_Parent


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))


def _fail(what: str) -> NoReturn:
    number = ctypes.get_errno()
    raise OSError(number, f"{what}: {os.strerror(number)}")


def _call(what: str, number: int, *arguments: int) -> int:
    result: int = _libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments))
    if result < 0:
        _fail(what)
    return result


def _prctl(what: str, option: int, value: int) -> None:
    if _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0):
        _fail(what)


def make_non_dumpable() -> None:
    """No core dump, no ptrace, no /proc/PID/mem for anyone but root."""
    _prctl("set_dumpable", PR_SET_DUMPABLE, 0)


def no_new_privileges() -> None:
    """No exec can gain privileges any more; the kernel requires this for seccomp and Landlock."""
    _prctl("no_new_privs", PR_SET_NO_NEW_PRIVS, 1)


def name_process(name: str) -> None:
    """Set the name that `ps` shows."""
    _libc.prctl(PR_SET_NAME, ctypes.c_char_p(name.encode()), 0, 0, 0)


def fork_sibling(flags: int) -> int:
    """Fork a child of this process's parent (CLONE_PARENT), with Python's fork hooks around it."""
    _before_fork()
    pid: int = _clone(SYS_CLONE, flags, 0, 0, 0, 0)
    if pid == 0:
        _after_fork_child()
        return 0
    _after_fork_parent()
    if pid < 0:
        _fail("clone")
    return pid


def drop_capabilities() -> None:
    """Drop all: root without them can neither raise a limit nor override a permission."""
    header = ctypes.create_string_buffer(struct.pack("=Ii", CAPABILITY_VERSION_3, 0), 8)
    nothing = ctypes.create_string_buffer(24)
    _call("capset", SYS_CAPSET, ctypes.addressof(header), ctypes.addressof(nothing))


def become_nobody(must_read: Iterable[str]) -> bool:
    """Become the user `nobody` if the interpreter's files stay readable; whether it did."""
    if os.geteuid() != 0 or not _may_change_user():
        return False
    os.seteuid(NOBODY)
    readable = all(_readable(path) for path in must_read)
    os.seteuid(0)
    if readable:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    return readable


def _may_change_user() -> bool:
    """SETGID, SETUID, and KILL: without the last the guard could not kill the nodes."""
    with open("/proc/self/status") as status:
        effective = next(line.split()[1] for line in status if line.startswith("CapEff"))
    return all(int(effective, 16) >> bit & 1 for bit in (5, 6, 7))


def _readable(path: str) -> bool:
    try:
        os.stat(path)
        return os.access(path, os.R_OK, effective_ids=True)
    except OSError:
        return False


def limit(open_files: int, cpu_seconds: int) -> None:
    """Set the limits that are the same for every program."""
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_NOFILE, open_files),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_STACK, 8 << 20),
    ):
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))


def memory_in_use() -> tuple[int, int]:
    """Bytes of (private data, address space), to which a program's own limit is added."""
    with open("/proc/self/status") as status:
        kib = {line.split(":")[0]: line.split()[1] for line in status if line.startswith("Vm")}
    return int(kib["VmData"]) << 10, int(kib["VmSize"]) << 10


def limit_memory(data: int, space: int) -> None:
    """Lower both limits irrevocably; one that a program has lowered further stays lower."""
    for what, most in ((resource.RLIMIT_DATA, data), (resource.RLIMIT_AS, space)):
        try:
            resource.setrlimit(what, (most, most))
        except (OSError, ValueError):
            continue


def landlock_abi() -> int:
    """The kernel's Landlock version; 0 where it has none or has it switched off."""
    try:
        return _call("landlock", SYS_LANDLOCK_CREATE, 0, 0, 1)
    except OSError:
        return 0


def landlock(readable: Iterable[str]) -> int:
    """Deny the file system except reading `readable`, TCP, abstract sockets and signals outwards.

    Returns the ABI in force, 0 if the kernel has none.
    """
    abi = landlock_abi()
    if not abi:
        return 0
    rights = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(abi, 16)) - 1
    attributes = struct.pack("=QQQ", rights, 3 if abi >= 4 else 0, 3 if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    buffer = ctypes.create_string_buffer(attributes, 24)
    rules = _call("landlock", SYS_LANDLOCK_CREATE, ctypes.addressof(buffer), size, 0)
    for path in readable:
        _allow_reading(rules, path)
    _call("landlock_restrict_self", SYS_LANDLOCK_RESTRICT, rules, 0)
    os.close(rules)
    return abi


def _allow_reading(rules: int, path: str) -> None:
    try:
        beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    rights = READ_FILE | READ_DIR if os.path.isdir(path) else READ_FILE
    rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, beneath), 12)
    _call("landlock_add_rule", SYS_LANDLOCK_ADD, rules, 1, ctypes.addressof(rule), 0)
    os.close(beneath)


def filter_calls(program: bytes, listener: bool) -> int:
    """Install a seccomp filter; the listener's descriptor if one is wanted, else 0."""
    code = ctypes.create_string_buffer(program, len(program))
    header = _Program(len(program) // 8, ctypes.addressof(code))
    flags = NEW_LISTENER if listener else 0
    return _call("seccomp", SYS_SECCOMP, SECCOMP_SET_FILTER, flags, ctypes.addressof(header))


def be_killed_before_the_worker() -> None:
    """Under memory pressure the kernel is to kill this process, never the worker."""
    try:
        with open("/proc/self/oom_score_adj", "w") as score:
            score.write("1000")
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT):
            raise
