"""Whole solutions from the store."""

import msgspec

from rstar_async.errors import BadInput
from storage import queries
from storage.database import Database


class Solution(msgspec.Struct, frozen=True):
    """One answered path of a search tree; `text` is everything from `<code>` to the answer."""

    round: int
    search_id: str
    path: str
    question: str
    text: str
    answer: str
    correct: bool
    mean_q: float
    min_q: float


def solutions_of_round(
    database: Database, run_id: str, number: int | None, *, correct: bool, limit: int
) -> list[Solution]:
    """At most `limit` solutions by mean Q, one for each problem: the best right or the worst wrong.

    `number` None is the last round. `BadInput` if the run has no rounds.
    """
    number = _last_searched(database, run_id) if number is None else number
    ranked = database.read(
        queries.ranked_answers, run_id, number, correct=correct, worst=not correct, limit=limit
    )
    return [
        Solution(
            number,
            found.search_id,
            found.path,
            found.question,
            _text(database, found.search_id, found.path),
            found.answer,
            correct,
            found.mean_q,
            found.min_q,
        )
        for found in ranked
    ]


def _last_searched(database: Database, run_id: str) -> int:
    rounds = database.read(queries.rounds_of, run_id)
    if not rounds:
        raise BadInput(f"run {run_id!r} has no rounds yet")
    return rounds[-1].number


def _text(database: Database, search_id: str, path: str) -> str:
    steps = database.read(queries.steps_to, search_id, path)
    return "".join(step.text + step.observation for step in steps)
