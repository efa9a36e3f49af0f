"""Whole solutions read back from the store, for people and for JSON."""

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
    correct: bool | None
    mean_q: float
    min_q: float


def solutions_of_round(
    database: Database, run_id: str, number: int | None, *, correct: bool, limit: int
) -> list[Solution]:
    """At most `limit` solutions, one a problem, by mean Q: best right or worst wrong ones."""
    number = _last_searched(database, run_id) if number is None else number
    found = database.read(queries.trajectories_of, run_id, number, correct)
    found.sort(key=lambda t: -t.mean_q if correct else t.mean_q)
    first_of_problem = {t.problem_id: t for t in reversed(found)}
    chosen = [t for t in found if first_of_problem[t.problem_id] is t][:limit]
    return [
        Solution(
            number,
            t.search_id,
            t.path,
            t.question,
            _text(database, t.search_id, t.path),
            t.answer,
            t.correct,
            t.mean_q,
            t.min_q,
        )
        for t in chosen
    ]


def _last_searched(database: Database, run_id: str) -> int:
    rounds = database.read(queries.rounds_of, run_id)
    if not rounds:
        raise BadInput(f"run {run_id!r} has no rounds yet")
    return rounds[-1].number


def _text(database: Database, search_id: str, path: str) -> str:
    steps = database.read(queries.steps_to, search_id, path)
    return "".join(step.text + step.observation for step in steps)
