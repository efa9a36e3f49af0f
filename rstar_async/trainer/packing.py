"""Tree packing: every judged step of a tree scored in one forward pass.

A tree is laid out depth first, so the tokens below a node directly follow it. Positions count from
the root along each path. One integer per token, the index where its node's subtree ends, says who
sees whom: token q sees token k iff `k <= q < end[k]`. Several trees in a row are strangers to each
other by the same rule. The result equals separate forward passes (`research/training.md`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch

from rstar_async.rounds.pairs import Preference
from rstar_async.search.tree import ROOT_PATH


@dataclass(frozen=True, slots=True)
class PreferenceTree:
    """The part of a tree that its pairs need: `steps[path]` are a node's token ids, its observation
    included, for the pairs' nodes and all their ancestors; the root's ids are the prompt."""

    problem_id: str
    search_id: str
    prompt: Sequence[int]
    steps: Mapping[str, Sequence[int]]
    pairs: Sequence[Preference]


@dataclass(frozen=True, slots=True)
class PackedTree:
    """Four integers per token, and the pairs as indices into `judged`, the last tokens of steps."""

    problem_id: str
    input_ids: list[int]
    position_ids: list[int]
    ends: list[int]
    judged: list[int]
    pairs: list[tuple[int, int, float]]


def closure(paths: Iterable[str]) -> set[str]:
    """The paths and all their ancestors, the root left out."""
    needed: set[str] = set()
    for path in paths:
        while path != ROOT_PATH and path not in needed:
            needed.add(path)
            path = parent_of(path)
    return needed


def parent_of(path: str) -> str:
    return path.rpartition(".")[0]


def in_depth_first_order(paths: Iterable[str]) -> list[str]:
    """Parents before children, a subtree never interrupted."""
    return sorted(paths, key=lambda path: [int(number) for number in path.split(".")])


def pack(
    tree: PreferenceTree, max_length: int, max_tokens: int
) -> tuple[list[PackedTree], list[Preference]]:
    """The tree as packed trees of at most `max_tokens` each, and the pairs that are in them.

    A path longer than `max_length` loses the beginning of the prompt, never a step; a pair whose
    steps alone are longer is left out.
    """
    pairs = [p for p in tree.pairs if _steps_length(tree, p) < max_length]
    prompt = _cut_prompt(tree, pairs, max_length)
    parts = _split(tree, pairs, len(prompt), max_tokens)
    packed = [_layout(tree, prompt, part) for part in parts]
    return packed, [pair for part in parts for pair in part]


def _path_length(tree: PreferenceTree, path: str) -> int:
    return sum(len(tree.steps[p]) for p in closure([path]))


def _steps_length(tree: PreferenceTree, pair: Preference) -> int:
    return max(_path_length(tree, pair.chosen), _path_length(tree, pair.rejected))


def _cut_prompt(
    tree: PreferenceTree, pairs: Sequence[Preference], max_length: int
) -> Sequence[int]:
    longest = max((_steps_length(tree, pair) for pair in pairs), default=0)
    return tree.prompt[-(max_length - longest) :]


def _split(
    tree: PreferenceTree, pairs: Sequence[Preference], prompt_length: int, max_tokens: int
) -> list[list[Preference]]:
    """Consecutive pairs together as long as their nodes fit; a pair that never fits is left out."""
    parts: list[list[Preference]] = []
    nodes: set[str] = set()
    for pair in pairs:
        added = closure([pair.chosen, pair.rejected])
        if prompt_length + _tokens(tree, added) > max_tokens:
            continue
        if not parts or prompt_length + _tokens(tree, nodes | added) > max_tokens:
            parts.append([])
            nodes = set()
        parts[-1].append(pair)
        nodes |= added
    return parts


def _tokens(tree: PreferenceTree, paths: Iterable[str]) -> int:
    return sum(len(tree.steps[path]) for path in paths)


def _layout(tree: PreferenceTree, prompt: Sequence[int], pairs: Sequence[Preference]) -> PackedTree:
    wanted = {path: i for i, path in enumerate(dict.fromkeys(_sides_of(pairs)))}
    order = in_depth_first_order(closure(wanted))
    input_ids, position_ids = list(prompt), list(range(len(prompt)))
    starts, stops, depths = {ROOT_PATH: 0}, {ROOT_PATH: len(prompt)}, {ROOT_PATH: len(prompt)}
    for path in order:
        tokens, depth = tree.steps[path], depths[parent_of(path)]
        starts[path] = len(input_ids)
        input_ids += tokens
        position_ids += range(depth, depth + len(tokens))
        stops[path], depths[path] = len(input_ids), depth + len(tokens)
    judged = [stops[path] - 1 for path in wanted]
    indices = [(wanted[p.chosen], wanted[p.rejected], p.weight) for p in pairs]
    ends = _subtree_ends([ROOT_PATH, *order], starts, stops)
    return PackedTree(tree.problem_id, input_ids, position_ids, ends, judged, indices)


def _sides_of(pairs: Sequence[Preference]) -> Iterable[str]:
    return (path for pair in pairs for path in (pair.chosen, pair.rejected))


def _subtree_ends(
    order: Sequence[str], starts: Mapping[str, int], stops: Mapping[str, int]
) -> list[int]:
    """Per token, in layout order: the index where the subtree of its node ends."""
    ends = dict(stops)
    for path in reversed(order[1:]):
        ends[parent_of(path)] = max(ends[parent_of(path)], ends[path])
    return [ends[path] for path in order for _ in range(stops[path] - starts[path])]


def tree_mask(ends: torch.Tensor) -> torch.Tensor:
    """`ends` [rows, tokens] to the attention mask [rows, 1, queries, keys], True where q sees k.

    Padding has end 0: nobody sees it. It sees itself, for a row of the mask must not be empty.
    """
    index = torch.arange(ends.shape[1], device=ends.device)
    causal = index[None, :] <= index[:, None]
    within = index[None, :, None] < ends[:, None, :]
    own = index[None, :] == index[:, None]
    return ((causal & within) | own)[:, None]
