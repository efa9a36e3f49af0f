"""Which interpreters are held for which programs: a pure cache with LRU eviction.

A program is known by the chain of its exact step sources, within its tree, flavour and memory
limit. Correctness never depends on what is found here.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Generic, NewType, Protocol, TypeVar

Key = NewType("Key", bytes)


class Holdable(Protocol):
    """A node; `pins` counts its uses, and a pinned node is not evicted."""

    pins: int


N = TypeVar("N", bound=Holdable)


@dataclass(frozen=True)
class _Held(Generic[N]):
    node: N
    tree: str
    mib: float


def chain(scope: Sequence[str], steps: Sequence[str]) -> list[Key]:
    """One key for each prefix of `steps`, the empty one first."""
    key = _link(b"", *scope)
    keys = [key]
    for step in steps:
        key = _link(key, step)
        keys.append(key)
    return keys


def _link(key: bytes, *texts: str) -> Key:
    digest = blake2b(key, digest_size=16)
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "little") + data)
    return Key(digest.digest())


class Snapshots(Generic[N]):
    """Holds at most `max_nodes` nodes and about `max_mib` MiB; returns what it evicts."""

    def __init__(self, max_nodes: int, max_mib: float) -> None:
        self._max_nodes = max_nodes
        self._max_mib = max_mib
        self._held: OrderedDict[Key, _Held[N]] = OrderedDict()
        self.mib = 0.0

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: Key) -> N | None:
        """The node of this program, if held; it counts as used."""
        held = self._held.get(key)
        if held is None:
            return None
        self._held.move_to_end(key)
        return held.node

    def hold(self, key: Key, node: N, tree: str, mib: float) -> list[N]:
        """Keep `node`; returns the nodes to release, which may be `node` itself."""
        if key in self._held:
            return [node]
        self._held[key] = _Held(node, tree, mib)
        self.mib += mib
        return self._shrink()

    def _shrink(self) -> list[N]:
        surplus: list[N] = []
        for key in list(self._held):
            if len(self._held) <= self._max_nodes and self.mib <= self._max_mib:
                break
            if not self._held[key].node.pins:
                surplus.append(self._drop(key))
        return surplus

    def halve(self) -> list[N]:
        """Evict the older half of the unpinned nodes, when the machine is short of resources."""
        idle = [key for key, held in self._held.items() if not held.node.pins]
        return [self._drop(key) for key in idle[: (len(idle) + 1) // 2]]

    def forget(self, node: N) -> None:
        """Drop `node`, which is gone."""
        for key in [key for key, held in self._held.items() if held.node is node]:
            self._drop(key)

    def end_tree(self, tree: str) -> list[N]:
        """Drop all nodes of one tree; returns them for release."""
        keys = [key for key, held in self._held.items() if held.tree == tree]
        return [self._drop(key) for key in keys]

    def clear(self) -> list[N]:
        """Drop all nodes; returns them for release."""
        return [self._drop(key) for key in list(self._held)]

    def _drop(self, key: Key) -> N:
        held = self._held.pop(key)
        self.mib -= held.mib
        return held.node
