"""Training data from files, as token ids. `data.schemas` knows the formats of a row: the released
code's SFT and PPM files, TRL's columns. Preferences about one question become one tree that shares
common prefixes.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rstar_async.data.files import read_rows
from rstar_async.data.preferences import PairKind, Preference
from rstar_async.data.schemas import Comparison, Solution
from rstar_async.data.training_rows import read_row
from rstar_async.errors import BadInput
from rstar_async.sanitize import listed
from rstar_async.search.paths import ROOT_PATH, parent_of
from rstar_async.text import prompts, tags
from rstar_async.text.encoding import Encoder
from rstar_async.trainer.dataset import SFTRow, StepTokens, demonstration_row, steps_of_solution
from rstar_async.trainer.packing import LabelledTree
from storage.records import content_id

_ENDS = (*tags.STEP_ENDS, tags.END_OF_OUTPUT)


def read_sft(source: str | Path, encoder: Encoder) -> list[SFTRow]:
    """One row for each solution, which must be written in the trajectory format."""
    rows: list[SFTRow] = []
    for where, row in read_rows(source):
        record = read_row(row, where)
        if not isinstance(record, Solution):
            raise _unknown(row, where, "{query, response}, {prompt, completion} or {messages}")
        solution = _check_end(record.response, where)
        rows.append(demonstration_row(record.question, solution, encoder))
    return rows


def read_preferences(source: str | Path, encoder: Encoder) -> list[LabelledTree]:
    """One tree for each question, in the order in which the source first asks it."""
    builders: dict[str, PreferenceTreeBuilder] = {}
    for where, row in read_rows(source):
        record = read_row(row, where)
        if not isinstance(record, Comparison):
            raise _unknown(row, where, "{prompt, pos, neg} or {prompt, chosen, rejected}")
        question, better = _split_question(record.prompt + record.chosen, where)
        _, worse = _split_question(record.prompt + record.rejected, where)
        builder = builders.setdefault(question, PreferenceTreeBuilder(encoder))
        chosen, rejected = (builder.add(_check_end(text, where)) for text in (better, worse))
        if chosen == rejected:
            raise BadInput(f"{where}: the better and the worse solution are the same")
        builder.prefer(chosen, rejected, _weight(record))
    return [builder.tree(question) for question, builder in builders.items()]


class PreferenceTreeBuilder:
    """Builds a tree from whole solutions."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._children: dict[str, dict[tuple[int, ...], str]] = {}
        self._steps: dict[str, Sequence[int]] = {}
        self._pairs: list[Preference] = []

    def add(self, solution: str) -> str:
        """Add the steps of `solution` that the tree lacks; returns the path of its last step."""
        path = ROOT_PATH
        for piece in steps_of_solution(solution, self._encoder):
            path = self._child(path, piece)
        return path

    def prefer(self, chosen: str, rejected: str, weight: float) -> None:
        siblings = parent_of(chosen) == parent_of(rejected)
        kind: PairKind = "step" if siblings else "trajectory"
        self._pairs.append(Preference(chosen, rejected, kind, weight))

    def tree(self, question: str) -> LabelledTree:
        name, encoder = content_id(question), self._encoder
        prompt, bos = encoder.prompt(question), len(encoder.bos_ids)
        return LabelledTree(name, name, prompt, self._steps, self._pairs, bos=bos)

    def _child(self, path: str, piece: StepTokens) -> str:
        siblings = self._children.setdefault(path, {})
        tokens = tuple(piece.all_tokens)
        if tokens not in siblings:
            siblings[tokens] = f"{path}.{len(siblings) + 1}"
            self._steps[siblings[tokens]] = tokens
        return siblings[tokens]


def _unknown(row: Mapping[str, Any], where: str, wanted: str) -> BadInput:
    return BadInput(f"{where}: has {listed(row)}; expected {wanted}")


def _split_question(text: str, where: str) -> tuple[str, str]:
    """Split a text into the question and the solution so far."""
    question, suffix, solution = text.partition(prompts.QUESTION_SUFFIX)
    if not question.startswith(prompts.QUESTION_PREFIX) or not suffix:
        raise BadInput(
            f"{where}: prompt and solution must be {prompts.QUESTION_PREFIX!r}, the question, "
            f"{prompts.QUESTION_SUFFIX!r} and steps"
        )
    return question.removeprefix(prompts.QUESTION_PREFIX), solution


def _check_end(solution: str, where: str) -> str:
    """The solution without trailing space; `BadInput` unless it ends where a step ends."""
    if not solution.rstrip().endswith(_ENDS):
        raise BadInput(f"{where}: ends with {solution[-30:]!r}, not with one of {', '.join(_ENDS)}")
    return solution.rstrip()


def _weight(record: Comparison) -> float:
    """1 / (better x worse) of the pair's group (released code); 1 for a row without the counts."""
    better, worse = record.chosen_count, record.rejected_count
    return 1 / max(1, better * worse or better + worse)
