"""Tree packing: all labelled steps of a tree are scored in one forward pass.

A tree is laid out depth first, so the tokens below a node directly follow it. Positions count from
the root along each path. One integer per token, the index where its node's subtree ends, gives the
attention mask: token q attends to token k iff `k <= q < end[k]`. By the same rule, trees that
share a row do not attend to each other. Scores equal those of separate forward passes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rstar_async.config import ScoreAt
from rstar_async.data.preferences import Preference
from rstar_async.search.paths import ROOT_PATH, depth_first, parent_of, with_ancestors
from rstar_async.trainer.comparisons import Offsets, compared_offsets, path_weights


@dataclass(frozen=True, slots=True)
class Target:
    """The step at `path` should score `value`."""

    path: str
    value: float


@dataclass(frozen=True, slots=True)
class LabelledTree:
    """The part of a tree that its labels need.

    `steps[path]` are a node's token ids, its observation included, for the labelled nodes and all
    their ancestors; `prompt` are the ids of the root, of which the first `bos` are BOS.
    """

    problem_id: str
    search_id: str
    prompt: Sequence[int]
    steps: Mapping[str, Sequence[int]]
    pairs: Sequence[Preference]
    targets: Sequence[Target] = ()
    bos: int = 0


Label: TypeAlias = Preference | Target


@dataclass(frozen=True, slots=True)
class PackedTree:
    """Three integers per token, and what is scored.

    `scored` are columns; the rest are indices into it. `pairs` (chosen, rejected, weight) are
    preferences at the steps' last tokens, on which accuracy is measured. `comparisons` (better,
    worse, weight) are what the loss compares: the same tokens, or several of each pair. `targets`
    are (token, value, weight). `spans[i]` are the first column and the end column of the step whose
    last token is score `i`. `pair_paths` names the two nodes of each pair in the tree `search_id`.
    """

    problem_id: str
    input_ids: list[int]
    position_ids: list[int]
    ends: list[int]
    scored: list[int]
    pairs: list[tuple[int, int, float]]
    comparisons: list[tuple[int, int, float]]
    targets: list[tuple[int, float, float]]
    spans: dict[int, tuple[int, int]]
    search_id: str = ""
    pair_paths: Sequence[tuple[str, str]] = ()


def pack(
    tree: LabelledTree, max_length: int, max_tokens: int, score_at: ScoreAt = "last_token"
) -> tuple[list[PackedTree], list[Label]]:
    """The tree as packed trees of at most `max_tokens` each, and the labels in them.

    A path longer than `max_length` loses the beginning of the question, never BOS or a step.
    Labels whose steps alone are longer are left out, and so are pairs of steps with the same ids.
    """
    labels: list[Label] = [*tree.pairs, *tree.targets]
    fitting = [
        label
        for label in labels
        if _steps_length(tree, label) < max_length and not _is_tie(tree, label)
    ]
    prompt = _cut_prompt(tree, fitting, max_length)
    parts = _split(tree, fitting, len(prompt), max_tokens)
    packed = [_layout(tree, prompt, part, score_at) for part in parts]
    return packed, [label for part in parts for label in part]


def steps_of(label: Label) -> tuple[str, ...]:
    """The paths of the steps that `label` scores."""
    if isinstance(label, Target):
        return (label.path,)
    return label.chosen, label.rejected


def _path_length(tree: LabelledTree, path: str) -> int:
    return sum(len(tree.steps[p]) for p in with_ancestors([path]))


def _steps_length(tree: LabelledTree, label: Label) -> int:
    return max(_path_length(tree, path) for path in steps_of(label))


def _cut_prompt(tree: LabelledTree, labels: Sequence[Label], max_length: int) -> Sequence[int]:
    longest = max((_steps_length(tree, label) for label in labels), default=0)
    room = max_length - longest
    if room >= len(tree.prompt) or room <= tree.bos:
        return tree.prompt[-room:]
    return [*tree.prompt[: tree.bos], *tree.prompt[tree.bos - room :]]


def _split(
    tree: LabelledTree, labels: Sequence[Label], prompt_length: int, max_tokens: int
) -> list[list[Label]]:
    """Consecutive labels together while their nodes fit; labels that never fit are left out."""
    parts: list[list[Label]] = []
    nodes: set[str] = set()
    for label in labels:
        added = with_ancestors(steps_of(label))
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


def _is_tie(tree: LabelledTree, label: Label) -> bool:
    return isinstance(label, Preference) and not _offsets(tree, label, "last_token")


def _offsets(tree: LabelledTree, pair: Preference, score_at: ScoreAt) -> Offsets:
    return compared_offsets(pair, tree.steps[pair.chosen], tree.steps[pair.rejected], score_at)


def _layout(
    tree: LabelledTree, prompt: Sequence[int], labels: Sequence[Label], score_at: ScoreAt
) -> PackedTree:
    wanted = dict.fromkeys(path for label in labels for path in steps_of(label))
    order = depth_first(with_ancestors(wanted))
    input_ids, position_ids = list(prompt), list(range(len(prompt)))
    starts, stops, depths = {ROOT_PATH: 0}, {ROOT_PATH: len(prompt)}, {ROOT_PATH: len(prompt)}
    for path in order:
        tokens, depth = tree.steps[path], depths[parent_of(path)]
        starts[path] = len(input_ids)
        input_ids += tokens
        position_ids += range(depth, depth + len(tokens))
        stops[path], depths[path] = len(input_ids), depth + len(tokens)
    scored = _Scored(starts, stops)
    for path in wanted:
        scored.last(path)
    pairs = [label for label in labels if isinstance(label, Preference)]
    return PackedTree(
        problem_id=tree.problem_id,
        input_ids=input_ids,
        position_ids=position_ids,
        ends=_subtree_ends([ROOT_PATH, *order], starts, stops),
        pairs=[(scored.last(p.chosen), scored.last(p.rejected), p.weight) for p in pairs],
        comparisons=[c for p in pairs for c in _compared(p, _offsets(tree, p, score_at), scored)],
        targets=[
            *((scored.last(t.path), t.value, 1.0) for t in labels if isinstance(t, Target)),
            *((scored.last(path), 1.0, weight) for path, weight in path_weights(pairs).items()),
        ],
        scored=scored.columns(),
        spans={scored.last(path): (starts[path], stops[path]) for path in wanted},
        search_id=tree.search_id,
        pair_paths=[(pair.chosen, pair.rejected) for pair in pairs],
    )


class _Scored:
    """The scored columns, each once, numbered in the order in which they are first asked for."""

    def __init__(self, starts: Mapping[str, int], stops: Mapping[str, int]) -> None:
        self._starts, self._stops = starts, stops
        self._numbers: dict[int, int] = {}

    def at(self, path: str, offset: int) -> int:
        return self._numbers.setdefault(self._starts[path] + offset, len(self._numbers))

    def last(self, path: str) -> int:
        return self.at(path, self._stops[path] - self._starts[path] - 1)

    def columns(self) -> list[int]:
        return list(self._numbers)


def _compared(
    pair: Preference, offsets: Offsets, scored: _Scored
) -> Iterator[tuple[int, int, float]]:
    """The compared tokens of one pair, which share its weight."""
    for better, worse in offsets:
        weight = pair.weight / len(offsets)
        yield scored.at(pair.chosen, better), scored.at(pair.rejected, worse), weight


def _subtree_ends(
    order: Sequence[str], starts: Mapping[str, int], stops: Mapping[str, int]
) -> list[int]:
    """Per token, in layout order: the index where the subtree of its node ends."""
    ends = dict(stops)
    for path in reversed(order[1:]):
        ends[parent_of(path)] = max(ends[parent_of(path)], ends[path])
    return [ends[path] for path in order for _ in range(stops[path] - starts[path])]
