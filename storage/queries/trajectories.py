"""Whole solutions, from which training data is chosen."""

import msgspec
import sqlalchemy as sa

from storage.queries.select import matches
from storage.records import Purpose
from storage.views import trajectories


class Trajectory(msgspec.Struct, frozen=True):
    """One answer of a tree. Means and minima of Q are over its steps, the root left out."""

    search_id: str
    path: str
    problem_id: str
    question: str
    answer: str
    correct: bool | None
    depth: int
    mean_q: float
    min_q: float


def trajectories_of(
    connection: sa.Connection,
    run_id: str,
    number: int,
    correct: bool | None = True,
    purpose: Purpose = "train",
) -> list[Trajectory]:
    """The answers of a round, best mean Q first within each search; all if `correct` is None."""
    view = trajectories.c
    query = (
        sa.select(*(view[field.name] for field in msgspec.structs.fields(Trajectory)))
        .where(view.run_id == run_id, view.round == number, view.purpose == purpose)
        .where(matches(view.correct, correct))
    )
    found = [Trajectory(*row) for row in connection.execute(query)]
    return sorted(found, key=lambda one: (one.search_id, -one.mean_q, len(one.path), one.path))
