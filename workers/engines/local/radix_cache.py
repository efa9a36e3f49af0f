"""Keys and values of token prefixes already computed; the least recently used are evicted first.

A radix tree over token ids. A node holds the keys and values of its own stretch of tokens, shaped
[layers, 2, heads, tokens, size]; the path from the root spells the prefix. Belongs to one model
version and one thread. What `match` returned stays valid whatever is evicted afterwards.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeAlias

import torch

Tokens: TypeAlias = tuple[int, ...]

# A full cache frees more than it needs at once, because finding the oldest leaves walks the tree.
SLACK = 1 / 16
# Below this many shared tokens, waiting a step costs more than computing them twice.
WORTH_WAITING = 16


class Prefix(NamedTuple):
    """The longest cached prefix: its length in tokens and the pieces that make it up."""

    length: int
    pieces: tuple[torch.Tensor, ...]

    def copy_to(self, kv: torch.Tensor) -> None:
        """Write the keys and values into the first `length` tokens of `kv`."""
        start = 0
        for piece in self.pieces:
            kv[..., start : start + piece.shape[-2], :] = piece
            start += piece.shape[-2]


class _Node:
    __slots__ = ("children", "key", "kv", "parent", "used")

    def __init__(self, key: Tokens, kv: torch.Tensor, parent: "_Node | None") -> None:
        self.key = key
        self.kv = kv
        self.parent = parent
        self.children: dict[int, _Node] = {}
        self.used = 0

    @property
    def nbytes(self) -> int:
        return self.kv.nbytes


class RadixCache:
    """At most `capacity` bytes; 0 caches nothing."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.nbytes = 0
        self._clock = 0
        self._root = _Node((), torch.empty(0), None)

    def match(self, tokens: Tokens, limit: int) -> Prefix:
        """The longest cached prefix of `tokens`, at most `limit` of them; refreshes its age."""
        pieces: list[torch.Tensor] = []
        depth = 0
        for node, common in self._path(tokens):
            taken = min(common, limit - depth)
            if taken <= 0:
                break
            node.used = self._clock
            pieces.append(node.kv[..., :taken, :])
            depth += taken
        return Prefix(depth, tuple(pieces))

    def insert(self, tokens: Tokens, part: Callable[[int, int], torch.Tensor]) -> None:
        """Keep all of `tokens`; `part(start, end)` gives the keys and values not yet known.

        Keeps nothing new if that would evict the prefix it extends.
        """
        parent, depth = self._root, 0
        for node, common in self._path(tokens):
            parent = node if common == len(node.key) else self._split(node, common)
            parent.used = self._clock
            depth += common
        if depth < len(tokens):
            kv = part(depth, len(tokens))
            if self._make_room(kv.nbytes):
                self._attach(parent, tokens[depth:], kv.clone())

    def _path(self, tokens: Tokens) -> Iterator[tuple[_Node, int]]:
        """The nodes that spell `tokens`, each with how many ids of its key agree."""
        self._clock += 1
        node, depth = self._root, 0
        while depth < len(tokens) and (child := node.children.get(tokens[depth])):
            common = _common(child.key, tokens[depth : depth + len(child.key)])
            is_whole = common == len(child.key)  # computed before the caller may split the child
            yield child, common
            if not is_whole:
                return
            node, depth = child, depth + common

    def _split(self, node: _Node, at: int) -> _Node:
        """Cut `node` in two; returns the upper half, which keeps the first `at` ids."""
        assert node.parent is not None
        upper = _Node(node.key[:at], node.kv[..., :at, :].clone(), node.parent)
        upper.used = node.used
        node.parent.children[node.key[0]] = upper
        node.key, node.kv = node.key[at:], node.kv[..., at:, :].clone()
        node.parent = upper
        upper.children[node.key[0]] = node
        return upper

    def _attach(self, parent: _Node, key: Tokens, kv: torch.Tensor) -> None:
        node = _Node(key, kv, parent)
        node.used = self._clock
        parent.children[key[0]] = node
        self.nbytes += node.nbytes

    def _make_room(self, nbytes: int) -> bool:
        """Evict the oldest leaves, never the path just walked; False if that does not suffice."""
        if self.nbytes + nbytes <= self.capacity:
            return True
        if nbytes > self.capacity:
            return False
        goal = self.capacity - max(nbytes, int(self.capacity * SLACK))
        leaves = [(n.used, id(n), n) for n in self._nodes() if not n.children]
        heapq.heapify(leaves)
        while leaves and self.nbytes > goal and leaves[0][0] < self._clock:
            parent = self._drop(heapq.heappop(leaves)[2])
            if parent is not self._root and not parent.children:
                heapq.heappush(leaves, (parent.used, id(parent), parent))
        return self.nbytes + nbytes <= self.capacity

    def _drop(self, leaf: _Node) -> _Node:
        assert leaf.parent is not None
        del leaf.parent.children[leaf.key[0]]
        self.nbytes -= leaf.nbytes
        return leaf.parent

    def _nodes(self) -> Iterator[_Node]:
        stack = list(self._root.children.values())
        while stack:
            node = stack.pop()
            yield node
            stack.extend(node.children.values())


def waits_for(tokens: Tokens, cached: int, others: Iterable[Tokens]) -> bool:
    """Whether `tokens` should wait for one of `others`, which is computed now and shares much more
    of its prefix than the `cached` ones."""
    head = tokens[: cached + WORTH_WAITING]
    if len(head) < cached + WORTH_WAITING:
        return False
    return any(other[: len(head)] == head for other in others)


def _common(key: Tokens, tokens: Tokens) -> int:
    """How many leading ids agree."""
    if key == tokens:
        return len(key)
    pairs = zip(key, tokens, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(key), len(tokens)))
