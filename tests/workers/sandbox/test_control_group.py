"""The limits of control groups, from files as the kernel writes them."""

import os

import pytest

from workers.sandbox import control_group
from workers.sandbox.limits import room

V1 = "25 24 0:22 {group} /sys/fs/cgroup/{name} rw,nosuid shared:9 - cgroup cgroup rw,{name}\n"
V2 = "30 24 0:26 {group} {place} rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
NO_LIMIT = "9223372036854771712"  # how version 1 writes it


@pytest.fixture
def machine(tmp_path):
    """A function that makes a machine's files: groups, mounts, and limits by their path."""

    def make(groups, mounts, limits):
        files = {"proc/self/cgroup": groups, "proc/self/mountinfo": mounts, **limits}
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{text}\n" if "\n" not in text else text)
        return tmp_path

    return make


def mib(number):
    return str(number << 20)


def test_the_smallest_limit_of_nested_groups_counts_in_version_2(machine):
    top = "sys/fs/cgroup"
    root = machine(
        "0::/system.slice/rstar.service/executor\n",
        V2.format(group="/", place="/sys/fs/cgroup"),
        {
            f"{top}/system.slice/memory.max": mib(900),
            f"{top}/system.slice/pids.max": "700",
            f"{top}/system.slice/rstar.service/memory.max": "max",
            f"{top}/system.slice/rstar.service/executor/memory.max": mib(1200),
            f"{top}/system.slice/rstar.service/executor/pids.max": "max",
            f"{top}/other/memory.max": mib(10),
        },
    )
    assert control_group.memory_mib(root) == 900
    assert control_group.processes(root) == 700


def test_memory_that_is_slowed_down_is_no_memory_in_version_2(machine):
    limits = {"sys/fs/cgroup/a/memory.max": mib(900), "sys/fs/cgroup/a/memory.high": mib(600)}
    root = machine("0::/a\n", V2.format(group="/", place="/sys/fs/cgroup"), limits)
    assert control_group.memory_mib(root) == 600


def test_the_smallest_limit_of_nested_groups_counts_in_version_1(machine):
    root = machine(
        "9:memory:/batch/job\n5:pids:/batch\n1:cpu,cpuacct:/\n",
        V1.format(group="/", name="memory") + V1.format(group="/", name="pids"),
        {
            "sys/fs/cgroup/memory/memory.limit_in_bytes": NO_LIMIT,
            "sys/fs/cgroup/memory/batch/memory.limit_in_bytes": mib(800),
            "sys/fs/cgroup/memory/batch/job/memory.limit_in_bytes": NO_LIMIT,
            "sys/fs/cgroup/pids/batch/pids.max": "256",
        },
    )
    assert control_group.memory_mib(root) == 800
    assert control_group.processes(root) == 256


@pytest.mark.parametrize(
    ("group", "mounted"),
    [("/docker/4711", "/docker/4711"), ("/", "/"), ("/../elsewhere", "/"), ("/x", "/docker/4711")],
)
def test_inside_a_container_its_own_group_is_what_is_mounted(machine, group, mounted):
    limits = {"sys/fs/cgroup/memory/memory.limit_in_bytes": mib(700)}
    mounts = V1.format(group=mounted, name="memory")
    assert control_group.memory_mib(machine(f"9:memory:{group}\n", mounts, limits)) == 700


def test_both_versions_at_once_and_a_place_with_a_space(machine):
    root = machine(
        "4:memory:/a\n0::/a\n",
        V1.format(group="/", name="memory") + V2.format(group="/", place="/sys/my\\040groups"),
        {
            "sys/fs/cgroup/memory/a/memory.limit_in_bytes": mib(500),
            "sys/my groups/a/memory.max": mib(400),
        },
    )
    assert control_group.memory_mib(root) == 400


def test_without_control_groups_the_machine_is_the_limit(tmp_path):
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
    assert control_group.memory_mib(tmp_path) == machine
    assert control_group.processes(tmp_path) is None


def test_fewer_interpreters_are_held_where_there_is_less_room():
    ample = room(512, 3072.0, 24000, None)
    assert (ample.held_nodes, ample.held_mib, ample.program_mib) == (512, 3072.0, 18000)
    small = room(512, 3072.0, 1200, 256)
    assert (small.held_nodes, small.held_mib, small.program_mib) == (206, 600.0, 816)
    tiny = room(512, 3072.0, 400, 10)
    assert (tiny.held_nodes, tiny.held_mib, tiny.program_mib) == (1, 200.0, 100)
