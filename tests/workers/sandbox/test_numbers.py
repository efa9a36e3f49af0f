"""The tables of system calls against libseccomp's and the kernel's own headers.

For aarch64 this, and the filter interpreted in `test_seccomp.py`, is all that can be known without
such a machine.
"""

import ctypes
import ctypes.util
import re
from pathlib import Path

import pytest

from workers.sandbox import policy, seccomp
from workers.sandbox.inside import confine

HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
NO_SUCH_CALL = -1
# By the generic header, which makes the name of it with a macro.
SPELLED_OTHERWISE = {"newfstatat": "fstatat"}
LANDLOCK = {
    "landlock_create_ruleset": confine.SYS_LANDLOCK_CREATE,
    "landlock_add_rule": confine.SYS_LANDLOCK_ADD,
    "landlock_restrict_self": confine.SYS_LANDLOCK_RESTRICT,
}


def ours(machine):
    """Every number that we use on this machine, the calls that it lacks as None."""
    column = seccomp.COLUMN[machine]
    inside = zip(("clone", "capset", "seccomp"), confine.NUMBERS[machine], strict=True)
    return {name: n[column] for name, n in policy.NUMBERS.items()} | dict(inside) | LANDLOCK


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_libseccomp_has_the_same_numbers(machine):
    library = ctypes.util.find_library("seccomp")
    if library is None:
        pytest.skip("libseccomp2 is not installed")
    resolve = ctypes.CDLL(library).seccomp_syscall_resolve_name_arch
    theirs = {n: resolve(seccomp.AUDIT_ARCH[machine], n.encode()) for n in ours(machine)}
    # What a machine lacks has a negative pseudo-number there.
    assert {name: max(number, NO_SUCH_CALL) for name, number in theirs.items()} == {
        name: NO_SUCH_CALL if number is None else number for name, number in ours(machine).items()
    }


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_kernels_headers_have_the_same_numbers(machine):
    if not HEADERS[machine].exists():
        pytest.skip("linux-libc-dev is not installed")
    found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", HEADERS[machine].read_text())
    theirs = {name: int(number) for name, number in found}
    for name, number in ours(machine).items():
        spelling = SPELLED_OTHERWISE.get(name, name) if machine == "aarch64" else name
        assert theirs.get(spelling) == number, name


def test_both_tables_list_the_same_calls():
    for machine, (clone, _, seccomp_number) in confine.NUMBERS.items():
        column = seccomp.COLUMN[machine]
        listed = [policy.NUMBERS[name][column] for name in ("clone", "seccomp")]
        assert listed == [clone, seccomp_number]
