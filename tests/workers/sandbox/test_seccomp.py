"""The filter, interpreted here instruction by instruction, for both machines."""

import errno
import mmap
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.sandbox import policy, seccomp

MACHINES = ["x86_64", "aarch64"]
ALLOW, KILL, NOTIFY = seccomp.ALLOW, seccomp.KILL, seccomp.NOTIFY
MAP_HUGETLB = 0x40000
WORD = st.integers(min_value=0, max_value=2**64 - 1)


def verdict(machine, number, *arguments, forks="permit", arch=None):
    """What the kernel would answer."""
    call = struct.pack("<iIQ", number, arch or seccomp.AUDIT_ARCH[machine], 0)
    call += struct.pack("<6Q", *arguments, *[0] * (6 - len(arguments)))
    code = list(struct.iter_unpack("<HBBI", seccomp.assemble(forks, machine)))
    register, at = 0, 0
    while True:
        operation, if_true, if_false, operand = code[at]
        if operation == seccomp.RETURN:
            return operand
        if operation == seccomp.LOAD:
            register, jump = struct.unpack_from("<I", call, operand)[0], 0
        else:
            jump = if_true if test(operation, register, operand) else if_false
        at += 1 + jump


def test(operation, register, operand):
    if operation == seccomp.JUMP_EQUAL:
        return register == operand
    if operation == seccomp.JUMP_SET:
        return bool(register & operand)
    return register >= operand


test.__test__ = False


def denied(number):
    return 0x50000 | number


def number_of(name, machine):
    return policy.NUMBERS[name][seccomp.COLUMN[machine]]


@pytest.mark.parametrize("machine", MACHINES)
def test_every_listed_call_is_allowed_and_every_other_denied(machine):
    listed = {number_of(name, machine) for name in (*policy.ALLOWED, *policy.RULES)}
    for name in policy.ALLOWED:
        if (number := number_of(name, machine)) is not None:
            assert verdict(machine, number) == ALLOW, name
    for number in set(range(600)) - listed:
        assert verdict(machine, number) == denied(errno.EPERM), number


@pytest.mark.parametrize("machine", MACHINES)
def test_no_call_is_listed_twice(machine):
    numbers = [number_of(name, machine) for name in policy.NUMBERS]
    numbers = [number for number in numbers if number is not None]
    assert len(numbers) == len(set(numbers))
    assert not {*policy.ALLOWED} & {*policy.RULES}


@pytest.mark.parametrize("machine", MACHINES)
def test_a_call_of_a_foreign_table_kills(machine):
    assert verdict(machine, 0, arch=0x40000003) == KILL
    if machine == "x86_64":
        assert verdict(machine, 0x40000000 | 39) == KILL


@pytest.mark.parametrize("machine", MACHINES)
@given(flags=WORD)
def test_only_our_own_clone_reaches_the_listener(machine, flags):
    clone = number_of("clone", machine)
    expected = NOTIFY if flags == policy.CLONE_FLAGS else denied(errno.EAGAIN)
    assert verdict(machine, clone, flags) == expected
    assert verdict(machine, clone, policy.CLONE_FLAGS) == NOTIFY
    assert verdict(machine, clone, policy.CLONE_FLAGS | 1 << 32) == denied(errno.EAGAIN)
    assert verdict(machine, clone, flags, forks="never") == denied(errno.EAGAIN)


@pytest.mark.parametrize("machine", MACHINES)
@given(flags=WORD)
def test_open_refuses_every_flag_for_writing(machine, flags):
    allowed = verdict(machine, number_of("openat", machine), 0, 0, flags) == ALLOW
    assert allowed == (not flags & seccomp.WRITING)


@pytest.mark.parametrize("machine", MACHINES)
@given(protection=WORD, flags=WORD)
def test_executable_memory_comes_from_private_files_and_is_not_writable(machine, protection, flags):
    mapped = verdict(machine, number_of("mmap", machine), 0, 0, protection, flags)
    executable = protection & mmap.PROT_EXEC
    dangerous = executable and (protection & mmap.PROT_WRITE or flags & mmap.MAP_ANONYMOUS)
    foreign = flags & (mmap.MAP_SHARED | MAP_HUGETLB)
    assert mapped == (denied(errno.EPERM) if dangerous or foreign else ALLOW)
    changed = verdict(machine, number_of("mprotect", machine), 0, 0, protection)
    assert changed == (denied(errno.EPERM) if protection & 4 else ALLOW)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("kind", ["shared", "shared, validated", "from huge pages"])
@given(protection=WORD)
def test_no_memory_is_shared_whatever_its_protection(machine, kind, protection):
    bits = {"shared": mmap.MAP_SHARED, "shared, validated": 3, "from huge pages": MAP_HUGETLB}
    flags = bits[kind] | mmap.MAP_PRIVATE * (kind == "from huge pages")
    for source in (0, mmap.MAP_ANONYMOUS):
        seen = verdict(machine, number_of("mmap", machine), 0, 0, protection, flags | source)
        assert seen == denied(errno.EPERM)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("name", ["sendmsg", "recvmsg"])
@given(flags=WORD)
def test_messages_are_sent_and_received_without_flags(machine, name, flags):
    seen = verdict(machine, number_of(name, machine), 3, 0, flags)
    assert (seen == ALLOW) == (flags & 0xFFFFFFFF == 0)
    assert verdict(machine, number_of(name, machine), 3, 0, 0) == ALLOW


@pytest.mark.parametrize("machine", MACHINES)
@given(resource=st.integers(0, 20), new=WORD, pid=st.sampled_from([0, 1, 77]))
def test_a_process_can_set_only_its_own_memory_limits(machine, resource, new, pid):
    seen = verdict(machine, number_of("prlimit64", machine), pid, resource, new)
    fine = pid == 0 and (new == 0 or resource in (seccomp.RLIMIT_DATA, seccomp.RLIMIT_AS))
    assert seen == (ALLOW if fine else denied(errno.EPERM))


@pytest.mark.parametrize("machine", MACHINES)
def test_ioctl_and_fcntl_can_only_query(machine):
    ioctl, fcntl = number_of("ioctl", machine), number_of("fcntl", machine)
    assert [c for c in range(0x5400, 0x5480) if verdict(machine, ioctl, 0, c) == ALLOW] == [
        *(seccomp.TCGETS, seccomp.FIONREAD, seccomp.FIOCLEX)
    ]
    assert [c for c in range(2000) if verdict(machine, fcntl, 0, c) == ALLOW] == [1, 2, 3, 1030]


def test_an_unknown_machine_is_refused():
    with pytest.raises(seccomp.UnknownMachine, match="riscv64"):
        seccomp.assemble("permit", "riscv64")
