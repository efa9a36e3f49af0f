"""Training data from files, as token ids. What a row may look like is known to `formats`: the
reference's SFT and PPM files, TRL's columns. Preferences about one question become one tree, in
which equal beginnings are shared.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rstar_async.data.files import read_rows
from rstar_async.data.preferences import PairKind, Preference
from rstar_async.data.schemas import Comparison, Solution, read_row
from rstar_async.errors import BadInput
from rstar_async.search.paths import ROOT_PATH, parent_of
from rstar_async.text import prompts, tags
from rstar_async.text.encoding import Encoder
from rstar_async.trainer.dataset import SFTRow, StepTokens, demonstration_row, steps_of_solution
from rstar_async.trainer.packing import LabelledTree
from storage.records import content_id

ENDS = (*tags.STEP_ENDS, tags.END_OF_OUTPUT)


def read_sft(source: str | Path, encoder: Encoder) -> list[SFTRow]:
    """One row for each solution, which must be written in the trajectory format."""
    rows: list[SFTRow] = []
    for where, row in read_rows(source):
        found = read_row(row)
        if not isinstance(found, Solution):
            raise _unknown(row, where, "{query, response}, {prompt, completion} or {messages}")
        solution = _ended(found.response, where)
        rows.append(demonstration_row(found.question, solution, encoder))
    return rows


def read_preferences(source: str | Path, encoder: Encoder) -> list[LabelledTree]:
    """One tree for each question, in the order in which the source first asks it."""
    builders: dict[str, PreferenceTreeBuilder] = {}
    for where, row in read_rows(source):
        found = read_row(row)
        if not isinstance(found, Comparison):
            raise _unknown(row, where, "{prompt, pos, neg} or {prompt, chosen, rejected}")
        question, better = _cut(found.prompt + found.chosen, where)
        _, worse = _cut(found.prompt + found.rejected, where)
        builder = builders.setdefault(question, PreferenceTreeBuilder(encoder))
        chosen, rejected = (builder.grow(_ended(text, where)) for text in (better, worse))
        if chosen == rejected:
            raise BadInput(f"{where}: the better and the worse solution are the same")
        builder.prefer(chosen, rejected, _weight(found))
    return [builder.tree(question) for question, builder in builders.items()]


class PreferenceTreeBuilder:
    """A tree that grows by whole solutions."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._children: dict[str, dict[tuple[int, ...], str]] = {}
        self._steps: dict[str, Sequence[int]] = {}
        self._pairs: list[Preference] = []

    def grow(self, solution: str) -> str:
        """Add the steps of `solution` that are not there yet; the path of its last one."""
        path = ROOT_PATH
        for piece in steps_of_solution(solution, self._encoder):
            path = self._child(path, piece)
        return path

    def prefer(self, chosen: str, rejected: str, weight: float) -> None:
        siblings = parent_of(chosen) == parent_of(rejected)
        kind: PairKind = "step" if siblings else "trajectory"
        self._pairs.append(Preference(chosen, rejected, kind, weight))

    def tree(self, question: str) -> LabelledTree:
        name = content_id(question)
        return LabelledTree(name, name, self._encoder.prompt(question), self._steps, self._pairs)

    def _child(self, path: str, piece: StepTokens) -> str:
        siblings = self._children.setdefault(path, {})
        tokens = tuple(piece.all_tokens)
        if tokens not in siblings:
            siblings[tokens] = f"{path}.{len(siblings) + 1}"
            self._steps[siblings[tokens]] = tokens
        return siblings[tokens]


def _unknown(row: Mapping[str, Any], where: str, wanted: str) -> BadInput:
    return BadInput(f"{where}: has {', '.join(row) or 'nothing'}; expected {wanted}")


def _cut(text: str, where: str) -> tuple[str, str]:
    """A whole text into its question and the solution so far."""
    question, asked, solution = text.partition(prompts.QUESTION_SUFFIX)
    if not question.startswith(prompts.QUESTION_PREFIX) or not asked:
        raise BadInput(
            f"{where}: prompt and solution must be {prompts.QUESTION_PREFIX!r}, the question, "
            f"{prompts.QUESTION_SUFFIX!r} and steps"
        )
    return question.removeprefix(prompts.QUESTION_PREFIX), solution


def _ended(solution: str, where: str) -> str:
    """The solution, if it ends where a step does: what stands behind would be lost."""
    if not solution.rstrip().endswith(ENDS):
        raise BadInput(f"{where}: ends with {solution[-30:]!r}, not with one of {', '.join(ENDS)}")
    return solution.rstrip()


def _weight(found: Comparison) -> float:
    """1 / (better x worse) of the pair's group (reference); 1 where it is not said."""
    better, worse = found.chosen_count, found.rejected_count
    return 1 / max(1, better * worse or better + worse)
