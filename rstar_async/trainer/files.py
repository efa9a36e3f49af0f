"""Training data from files: the reference's formats and their usual relatives, as token ids.

SFT: `{"query", "response"}` (reference), `{"question", "solution"}` or `{"prompt", "completion"}`.
Preferences: `{"prompt", "pos", "neg"}`, with `pos_count` and `neg_count` (reference), or
`{"prompt", "chosen", "rejected"}` (TRL). In any container that `formats` reads. Preferences about
one question become one tree, in which equal beginnings are shared.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rstar_async.errors import BadInput
from rstar_async.formats.containers import read_rows
from rstar_async.rounds.pairs import PairKind, Preference
from rstar_async.search.tree import ROOT_PATH
from rstar_async.text import prompts, tags
from rstar_async.text.encoding import Encoder
from rstar_async.trainer.dataset import Piece, SFTRow, demonstration_row, pieces_of
from rstar_async.trainer.packing import JudgedTree, parent_of
from storage.records import content_id

SOLUTIONS = (("query", "response"), ("question", "solution"), ("prompt", "completion"))
PREFERENCES = (("prompt", "pos", "neg"), ("prompt", "chosen", "rejected"))
ENDS = (*tags.STEP_ENDS, tags.END_OF_OUTPUT)


def read_sft(source: str | Path, encoder: Encoder) -> list[SFTRow]:
    """One row for each solution, which must be written in the trajectory format."""
    rows: list[SFTRow] = []
    for where, record in read_rows(source):
        question, solution = _fields(record, SOLUTIONS, where)
        rows.append(demonstration_row(_question(question), _ended(solution, where), encoder))
    return rows


def read_preferences(source: str | Path, encoder: Encoder) -> list[JudgedTree]:
    """One tree for each question, in the order in which the source first asks it."""
    saplings: dict[str, Sapling] = {}
    for where, record in read_rows(source):
        prompt, better, worse = _fields(record, PREFERENCES, where)
        question, begun = _cut(prompt + better, where)
        _, begun_worse = _cut(prompt + worse, where)
        sapling = saplings.setdefault(question, Sapling(encoder))
        sides = [sapling.grow(_ended(text, where)) for text in (begun, begun_worse)]
        if sides[0] == sides[1]:
            raise BadInput(f"{where}: the better and the worse solution are the same")
        sapling.prefer(sides[0], sides[1], _weight(record))
    return [sapling.tree(question) for question, sapling in saplings.items()]


class Sapling:
    """A tree that grows by whole solutions."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._children: dict[str, dict[tuple[int, ...], str]] = {}
        self._steps: dict[str, Sequence[int]] = {}
        self._pairs: list[Preference] = []

    def grow(self, solution: str) -> str:
        """Add the steps of `solution` that are not there yet; the path of its last one."""
        path = ROOT_PATH
        for piece in pieces_of(solution, self._encoder):
            path = self._child(path, piece)
        return path

    def prefer(self, chosen: str, rejected: str, weight: float) -> None:
        siblings = parent_of(chosen) == parent_of(rejected)
        kind: PairKind = "step" if siblings else "trajectory"
        self._pairs.append(Preference(chosen, rejected, kind, weight))

    def tree(self, question: str) -> JudgedTree:
        name = content_id(question)
        return JudgedTree(name, name, self._encoder.prompt(question), self._steps, self._pairs)

    def _child(self, path: str, piece: Piece) -> str:
        siblings = self._children.setdefault(path, {})
        tokens = tuple(piece.all_tokens)
        if tokens not in siblings:
            siblings[tokens] = f"{path}.{len(siblings) + 1}"
            self._steps[siblings[tokens]] = tokens
        return siblings[tokens]


def _fields(record: Mapping[str, Any], formats: Sequence[tuple[str, ...]], where: str) -> list[str]:
    """The values of the first format whose names the record has."""
    for names in formats:
        if all(isinstance(record.get(name), str) for name in names):
            return [record[name] for name in names]
    wanted = " or ".join("{" + ", ".join(names) + "}" for names in formats)
    raise BadInput(f"{where}: has {', '.join(record) or 'nothing'}; expected {wanted} as texts")


def _question(text: str) -> str:
    """A question, with or without the prompt around it."""
    if text.startswith(prompts.QUESTION_PREFIX):
        return text.removeprefix(prompts.QUESTION_PREFIX).partition(prompts.QUESTION_SUFFIX)[0]
    return text


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


def _weight(record: Mapping[str, Any]) -> float:
    """1 / (better x worse) of the pair's group (reference); 1 where it is not said."""
    better, worse = int(record.get("pos_count", 1)), int(record.get("neg_count", 1))
    return 1 / max(1, better * worse or better + worse)
