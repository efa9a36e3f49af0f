"""Paths of tree nodes: `0` is the root, `0.2.1` the first child of its second child. Pure."""

from collections.abc import Iterable

ROOT_PATH = "0"


def parent_of(path: str) -> str:
    """The parent's path; that of the root is empty."""
    return path.rpartition(".")[0]


def path_from_root(path: str) -> list[str]:
    """The nodes from below the root to `path`: `0.2.1` gives `["0.2", "0.2.1"]`."""
    numbers = path.split(".")
    return [".".join(numbers[:depth]) for depth in range(2, len(numbers) + 1)]


def with_ancestors(paths: Iterable[str]) -> set[str]:
    """The paths and all their ancestors, without the root."""
    found: set[str] = set()
    for path in paths:
        found.update(path_from_root(path))
    return found


def depth_first(paths: Iterable[str]) -> list[str]:
    """Parents before their children, each subtree in one piece."""
    return sorted(paths, key=path_order)


def path_order(path: str) -> list[int]:
    """What sorts paths depth first, siblings by number: "0.10" after "0.2"."""
    return [int(number) for number in path.split(".")]
