"""What this process and its children may use by the kernel's control groups: both versions, nested.

The limit of a group holds for all groups below it, so the smallest on the way up counts. Inside a
container the way ends at its own root: limits above that are not visible, nor are they needed.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

Resource: TypeAlias = Literal["memory", "pids"]

FILES: dict[Resource, tuple[str, ...]] = {
    "memory": ("memory.max", "memory.high", "memory.limit_in_bytes"),
    "pids": ("pids.max",),
}
ROOT = Path("/")


class _Mount(NamedTuple):
    """One hierarchy of groups: its controllers (none: version 2), and what is mounted where."""

    controllers: frozenset[str]
    group: str
    place: str


def memory_mib(root: Path = ROOT) -> int:
    """MiB of memory that all processes here can have together: of the machine, or of the group."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min([machine, *_limits("memory", root)]) >> 20


def processes(root: Path = ROOT) -> int | None:
    """How many processes the group may have; None where nothing limits them."""
    return min(_limits("pids", root), default=None)


def _limits(resource: Resource, root: Path) -> list[int]:
    found = []
    for folder in _folders(root):
        for name in FILES[resource]:
            with suppress(OSError, ValueError):  # no such file, or "max"
                found.append(int((folder / name).read_text()))
    return found


def _folders(root: Path) -> Iterator[Path]:
    """The folder of each group that this process is in, and of all groups above it."""
    for controllers, group in _memberships(root):
        for mount in _mounts(root):
            if controllers == mount.controllers or controllers & mount.controllers:
                yield from _upwards(root / mount.place.lstrip("/"), _below(mount, group))


def _memberships(root: Path) -> list[tuple[frozenset[str], str]]:
    lines = [line.split(":", 2) for line in _lines(root / "proc/self/cgroup")]
    return [(frozenset(filter(None, names.split(","))), group) for _, names, group in lines]


def _mounts(root: Path) -> Iterator[_Mount]:
    for line in _lines(root / "proc/self/mountinfo"):
        place, _, system = line.partition(" - ")
        kind, _, options = system.split(" ", 2)
        _, _, _, group, folder, *_ = place.split(" ")
        if kind == "cgroup2":
            yield _Mount(frozenset(), _unescaped(group), _unescaped(folder))
        elif kind == "cgroup":
            yield _Mount(frozenset(options.split(",")), _unescaped(group), _unescaped(folder))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _unescaped(path: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), path)


def _below(mount: _Mount, group: str) -> str:
    """The way from what is mounted to the group; none if the group lies elsewhere."""
    top = mount.group.rstrip("/")
    return group[len(top) :].strip("/") if group.startswith(top + "/") or group == top else ""


def _upwards(top: Path, way: str) -> Iterator[Path]:
    names = [name for name in way.split("/") if name and name != ".."]
    for depth in range(len(names), -1, -1):
        yield top.joinpath(*names[:depth])
