"""Tree packing: every judged step of a tree scored in one forward pass.

A tree is laid out depth first, so the tokens below a node directly follow it. Positions count from
the root along each path. One integer per token, the index where its node's subtree ends, says who
sees whom: token q sees token k iff `k <= q < end[k]`. Several trees in a row are strangers to each
other by the same rule. The result equals separate forward passes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from rstar_async.data.preferences import Preference
from rstar_async.search.tree import ROOT_PATH


@dataclass(frozen=True, slots=True)
class Target:
    """The step at `path` should score `value`."""

    path: str
    value: float


@dataclass(frozen=True, slots=True)
class LabelledTree:
    """The part of a tree that its judgements need: `steps[path]` are a node's token ids, its
    observation included, for the judged nodes and all their ancestors; the root's ids are the
    prompt."""

    problem_id: str
    search_id: str
    prompt: Sequence[int]
    steps: Mapping[str, Sequence[int]]
    pairs: Sequence[Preference]
    targets: Sequence[Target] = ()


Label: TypeAlias = Preference | Target


@dataclass(frozen=True, slots=True)
class PackedTree:
    """Three integers per token; `judged` are the columns of the last tokens of steps, `pairs`
    (chosen, rejected, weight) and `targets` (step, value) index into it."""

    problem_id: str
    input_ids: list[int]
    position_ids: list[int]
    ends: list[int]
    judged: list[int]
    pairs: list[tuple[int, int, float]]
    targets: list[tuple[int, float]] = field(default_factory=list)


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
    tree: LabelledTree, max_length: int, max_tokens: int
) -> tuple[list[PackedTree], list[Label]]:
    """The tree as packed trees of at most `max_tokens` each, and the judgements that are in them.

    A path longer than `max_length` loses the beginning of the prompt, never a step; a judgement
    of steps that alone are longer is left out.
    """
    found: list[Label] = [*tree.pairs, *tree.targets]
    found = [label for label in found if _steps_length(tree, label) < max_length]
    prompt = _cut_prompt(tree, found, max_length)
    parts = _split(tree, found, len(prompt), max_tokens)
    packed = [_layout(tree, prompt, part) for part in parts]
    return packed, [label for part in parts for label in part]


def steps_of(label: Label) -> tuple[str, ...]:
    """The paths of the steps that it judges."""
    if isinstance(label, Target):
        return (label.path,)
    return label.chosen, label.rejected


def _path_length(tree: LabelledTree, path: str) -> int:
    return sum(len(tree.steps[p]) for p in closure([path]))


def _steps_length(tree: LabelledTree, label: Label) -> int:
    return max(_path_length(tree, path) for path in steps_of(label))


def _cut_prompt(tree: LabelledTree, labels: Sequence[Label], max_length: int) -> Sequence[int]:
    longest = max((_steps_length(tree, label) for label in labels), default=0)
    return tree.prompt[-(max_length - longest) :]


def _split(
    tree: LabelledTree, labels: Sequence[Label], prompt_length: int, max_tokens: int
) -> list[list[Label]]:
    """Consecutive judgements together as long as their nodes fit; what never fits is left out."""
    parts: list[list[Label]] = []
    nodes: set[str] = set()
    for label in labels:
        added = closure(steps_of(label))
        if prompt_length + _tokens(tree, added) > max_tokens:
            continue
        if not parts or prompt_length + _tokens(tree, nodes | added) > max_tokens:
            parts.append([])
            nodes = set()
        parts[-1].append(label)
        nodes |= added
    return parts


def _tokens(tree: LabelledTree, paths: Iterable[str]) -> int:
    return sum(len(tree.steps[path]) for path in paths)


def _layout(tree: LabelledTree, prompt: Sequence[int], labels: Sequence[Label]) -> PackedTree:
    paths = (path for label in labels for path in steps_of(label))
    wanted = {path: i for i, path in enumerate(dict.fromkeys(paths))}
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
    ends = _subtree_ends([ROOT_PATH, *order], starts, stops)
    pairs = [
        (wanted[j.chosen], wanted[j.rejected], j.weight)
        for j in labels
        if isinstance(j, Preference)
    ]
    targets = [(wanted[j.path], j.value) for j in labels if isinstance(j, Target)]
    return PackedTree(tree.problem_id, input_ids, position_ids, ends, judged, pairs, targets)


def _subtree_ends(
    order: Sequence[str], starts: Mapping[str, int], stops: Mapping[str, int]
) -> list[int]:
    """Per token, in layout order: the index where the subtree of its node ends."""
    ends = dict(stops)
    for path in reversed(order[1:]):
        ends[parent_of(path)] = max(ends[parent_of(path)], ends[path])
    return [ends[path] for path in order for _ in range(stops[path] - starts[path])]
