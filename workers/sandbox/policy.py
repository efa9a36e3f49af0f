"""What a confined program may do, as data: system calls, limits, paths, flavours.

Pure: no input or output, no kernel call. `seccomp.py` turns the tables into a BPF program and
`inside/` installs it. A name absent from `ALLOWED` and `RULES` is refused with EPERM.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

Flavour: TypeAlias = Literal["plain", "sympy", "numpy"]
Waiver: TypeAlias = Literal["no-landlock", "no-listener"]
Status: TypeAlias = Literal["ok", "exception", "timeout", "memory", "output", "died"]

FLAVOURS: tuple[Flavour, ...] = ("plain", "sympy", "numpy")
WAIVERS: tuple[Waiver, ...] = ("no-landlock", "no-listener")

# A program that names one of these starts from the interpreter that has it warm. numpy has sympy
# too, and three times its mappings, of which every fork copies each.
SYMBOLIC = re.compile(r"\b(?:sympy|mpmath)\b")
NUMERIC = re.compile(r"\b(?:numpy|scipy|pandas|sklearn|networkx|lambdify)\b")

VALUE_CHARACTERS = 8192  # of the repr of a step's last expression
MESSAGE_CHARACTERS = 2000  # of an exception's text
FRAME_BYTES = 40 * 1024  # a report: at most four bytes for each character of a value, and more
CPU_CEILING_SECONDS = 3600  # RLIMIT_CPU of every process; the worker's own limit is far tighter
OPEN_FILES = 64
DENIED_FORKS = 32  # refused clones with our flags, after which the process is killed

# The one clone that reaches the listener: a sibling (CLONE_PARENT) that reports SIGCHLD. The
# guard is thereby the parent of every node, and fork(2) of user code is refused in the kernel.
CLONE_FLAGS = 0x8000 | 17


class Bounds(Protocol):
    """Anything with the fields of `Limits`; the wire's own struct will do."""

    @property
    def wall_seconds(self) -> float: ...
    @property
    def cpu_seconds(self) -> float: ...
    @property
    def memory_mib(self) -> int: ...
    @property
    def output_bytes(self) -> int: ...


@dataclass(frozen=True)
class Limits:
    """Bounds on one step: seconds of wall time and CPU, MiB of memory, bytes of output."""

    wall_seconds: float = 10.0
    cpu_seconds: float = 8.0
    memory_mib: int = 1024
    output_bytes: int = 65536


def flavour_of(steps: Sequence[str]) -> Flavour:
    """The interpreter a program starts from; a wrong guess costs milliseconds, nothing else."""
    if any(NUMERIC.search(step) for step in steps):
        return "numpy"
    return "sympy" if any(SYMBOLIC.search(step) for step in steps) else "plain"


# Number of each call on (x86_64, aarch64); None where that machine has no such call.
NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "read": (0, 63),
    "write": (1, 64),
    "open": (2, None),
    "close": (3, 57),
    "stat": (4, None),
    "fstat": (5, 80),
    "lstat": (6, None),
    "poll": (7, None),
    "lseek": (8, 62),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "ioctl": (16, 29),
    "pread64": (17, 67),
    "readv": (19, 65),
    "writev": (20, 66),
    "access": (21, None),
    "select": (23, None),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "dup": (32, 23),
    "dup2": (33, None),
    "pause": (34, None),
    "nanosleep": (35, 101),
    "getitimer": (36, 102),
    "alarm": (37, None),
    "setitimer": (38, 103),
    "getpid": (39, 172),
    "sendmsg": (46, 211),
    "recvmsg": (47, 212),
    "clone": (56, 220),
    "exit": (60, 93),
    "uname": (63, 160),
    "fcntl": (72, 25),
    "getcwd": (79, 17),
    "gettimeofday": (96, 169),
    "getrlimit": (97, 163),
    "getrusage": (98, 165),
    "sysinfo": (99, 179),
    "times": (100, 153),
    "getuid": (102, 174),
    "getgid": (104, 176),
    "geteuid": (107, 175),
    "getegid": (108, 177),
    "getppid": (110, 173),
    "sigaltstack": (131, 132),
    "gettid": (186, 178),
    "time": (201, None),
    "futex": (202, 98),
    "sched_getaffinity": (204, 123),
    "getdents64": (217, 61),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "exit_group": (231, 94),
    "openat": (257, 56),
    "newfstatat": (262, 79),
    "faccessat": (269, 48),
    "pselect6": (270, 72),
    "ppoll": (271, 73),
    "set_robust_list": (273, 99),
    "dup3": (292, 24),
    "prlimit64": (302, 261),
    "getcpu": (309, 168),
    "seccomp": (317, 277),
    "getrandom": (318, 278),
    "membarrier": (324, 283),
    "statx": (332, 291),
    "rseq": (334, 293),
    "clone3": (435, 435),
    "faccessat2": (439, 439),
}

# Allowed whatever their arguments are, the frequent ones first: the filter is read in this order.
ALLOWED: tuple[str, ...] = (
    *("read", "write", "munmap", "brk", "mremap", "madvise", "futex", "close", "lseek"),
    *("fstat", "newfstatat", "stat", "lstat", "statx", "pread64", "readv", "writev"),
    *("rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall"),
    *("dup", "dup2", "dup3", "poll", "ppoll", "select", "pselect6"),
    *("clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time"),
    *("getitimer", "setitimer", "alarm", "pause", "times", "getrusage", "getrlimit"),
    *("getpid", "getppid", "gettid", "getuid", "getgid", "geteuid", "getegid", "getcwd", "uname"),
    *("sysinfo", "getcpu", "sched_getaffinity", "sched_yield", "membarrier", "rseq"),
    *("set_robust_list", "getrandom", "access", "faccessat", "faccessat2"),
    *("getdents64", "exit", "exit_group"),
)
# Allowed for some arguments only; seccomp.py knows which.
RULES: tuple[str, ...] = (
    *("open", "openat", "mmap", "mprotect", "sendmsg", "recvmsg", "ioctl", "fcntl", "prlimit64"),
    *("clone", "clone3"),
)

# Landlock: readable beside the interpreter's own library and its site-packages.
READABLE: tuple[str, ...] = (
    *("/lib64", "/usr/lib64", "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu"),
    *("/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/etc/ld.so.cache"),
    *("/usr/share/zoneinfo", "/etc/localtime"),
    *("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"),
)
# The whole environment of the confined interpreter at its start; one thread per process, because
# OpenBLAS raises SIGINT in its own process when it cannot start its threads.
ENVIRONMENT: dict[str, str] = {
    "PATH": "/nonexistent",
    "LANG": "C.UTF-8",
    "PYTHONUTF8": "1",
    "PYTHONHASHSEED": "0",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "LD_BIND_NOW": "1",
}
