"""The answers of a round by the mean of Q on the way to them, one for each problem."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from storage.queries.sums import sums_in_round
from storage.sums.adding import SearchSums
from storage.views import trajectories


class RankedAnswer(msgspec.Struct, frozen=True):
    """One answer with the mean and the minimum of Q on the path to it."""

    search_id: str
    path: str
    problem_id: str
    question: str
    answer: str
    depth: int
    mean_q: float
    min_q: float


class Place(NamedTuple):
    """Where an answer is, and by what it is ranked."""

    mean_q: float
    search_id: str
    path: str


def ranking(
    connection: sa.Connection,
    run_id: str,
    number: int,
    *,
    correct: bool,
    worst: bool,
    limit: int = 1000,
) -> list[Place]:
    """The best (or worst) right (or wrong) answer of each problem of a training round, the best (or
    worst) of them first."""
    found: dict[str, Place] = {}
    for problem_id, sums in sums_in_round(connection, run_id, number, "train"):
        place = _extreme(sums, correct=correct, worst=worst)
        if place is not None:
            known = found.get(problem_id, place)
            found[problem_id] = _ranked((known, place), worst=worst)[0]
    return _ranked(found.values(), worst=worst)[:limit]


def answers_at(connection: sa.Connection, places: Sequence[Place]) -> list[RankedAnswer]:
    """The answers at these places, in their order."""
    return [_answer_at(connection, place) for place in places]


def ranked_answers(
    connection: sa.Connection,
    run_id: str,
    number: int,
    *,
    correct: bool,
    worst: bool,
    limit: int = 1000,
) -> list[RankedAnswer]:
    """The answers of `ranking`."""
    places = ranking(connection, run_id, number, correct=correct, worst=worst, limit=limit)
    return answers_at(connection, places)


def _extreme(sums: SearchSums, *, correct: bool, worst: bool) -> Place | None:
    name = f"{'worst' if worst else 'best'}_{'right' if correct else 'wrong'}"
    path, mean_q = getattr(sums, name), getattr(sums, f"{name}_q")
    return None if path is None else Place(mean_q, sums.search_id, path)


def _ranked(places: Iterable[Place], *, worst: bool) -> list[Place]:
    sign = 1 if worst else -1
    return sorted(places, key=lambda place: (sign * place.mean_q, place.search_id))


def _answer_at(connection: sa.Connection, place: Place) -> RankedAnswer:
    view = trajectories.c
    names = [field.name for field in msgspec.structs.fields(RankedAnswer)]
    query = sa.select(*(view[name] for name in names))
    of_path = (view.search_id == place.search_id, view.path == place.path)
    return RankedAnswer(*connection.execute(query.where(*of_path)).one())
