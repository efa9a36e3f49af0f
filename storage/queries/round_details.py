"""Details of a round for the report: difficulty, distributions, errors, costs."""

from collections import Counter
from typing import Any

import msgspec
import sqlalchemy as sa

from storage.queries.select import count_where, of_round, total
from storage.records import Purpose
from storage.tables import expansions, nodes, pairs, problems, searches

BINS = 20
EDGE = 1e-9  # a value between two bins belongs to the upper one, however a database rounds


class ProblemOutcome(msgspec.Struct, frozen=True):
    """A searched problem: its level as the source says, and how many of its answers are right."""

    level: str
    kind: str
    solved: bool
    right: int
    wrong: int


class Histograms(msgspec.Struct, frozen=True):
    """Counts in `BINS` equal bins over [-1, 1], of right answers, wrong answers and other steps."""

    right: list[int]
    wrong: list[int]
    steps: list[int]


class Costs(msgspec.Struct, frozen=True):
    """Sums over the searches of a round. The seconds of waiting are added up over searches that ran
    at the same time; `cpu_seconds` are those of the executed programs."""

    new_tokens: int
    prompt_tokens: int
    cached_tokens: int
    reachable_tokens: int
    generate_seconds: float
    execute_seconds: float
    score_seconds: float
    cpu_seconds: float


class SearchEndings(msgspec.Struct, frozen=True):
    """Finished searches, the sum of their rollouts, and their number by what ended them."""

    searches: int
    rollouts: int
    ended: dict[str, int]


def problem_outcomes(
    connection: sa.Connection, run_id: str, number: int, purpose: Purpose = "train"
) -> list[ProblemOutcome]:
    """One entry for each problem of the round, in the order of their ids; a problem all of whose
    searches failed has no outcome."""
    answers = (
        sa.select(
            nodes.c.search_id,
            count_where(nodes.c.correct.is_(sa.true())).label("right"),
            count_where(nodes.c.correct.is_(sa.false())).label("wrong"),
        )
        .where(nodes.c.status == "answer")
        .group_by(nodes.c.search_id)
        .subquery()
    )
    query = (
        sa.select(
            problems.c.level,
            problems.c.kind,
            sa.func.max(sa.case((searches.c.solved.is_(sa.true()), 1), else_=0)),
            total(answers.c.right),
            total(answers.c.wrong),
        )
        .select_from(
            searches.join(problems, problems.c.id == searches.c.problem_id).outerjoin(
                answers, answers.c.search_id == searches.c.id
            )
        )
        .where(of_round(run_id, number, purpose))
        .where(searches.c.status != "failed")
        .group_by(problems.c.id, problems.c.level, problems.c.kind)
        .order_by(problems.c.id)
    )
    return [
        ProblemOutcome(level, kind, bool(solved), right, wrong)
        for level, kind, solved, right, wrong in connection.execute(query)
    ]


def q_histograms(connection: sa.Connection, run_id: str, number: int) -> Histograms:
    """Q of the visited nodes, roots and failed steps left out."""
    q = nodes.c.value_sum / sa.func.nullif(nodes.c.visits, 0)
    return _histograms(connection, run_id, number, q, nodes.c.visits > 0)


def prior_histograms(connection: sa.Connection, run_id: str, number: int) -> Histograms:
    """PPM values; all zero in a round without a PPM."""
    return _histograms(connection, run_id, number, nodes.c.prior, nodes.c.prior.is_not(None))


def code_errors(connection: sa.Connection, run_id: str, number: int) -> dict[str, int]:
    """How often each kind of failure ended a step, most frequent first: `NameError`, `timeout` …"""
    query = (
        sa.select(nodes.c.exec_status, nodes.c.exec_error, sa.func.count())
        .select_from(nodes.join(searches))
        .where(of_round(run_id, number, "train"), nodes.c.exec_status.not_in(["", "ok"]))
        .group_by(nodes.c.exec_status, nodes.c.exec_error)
    )
    found: Counter[str] = Counter()
    for status, error, count in connection.execute(query):
        kind = error.partition(":")[0] if status == "exception" else status
        found[kind or status] += count
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def nodes_by_status(connection: sa.Connection, run_id: str, number: int) -> dict[str, int]:
    """Nodes by status, roots left out."""
    query = (
        sa.select(nodes.c.status, sa.func.count())
        .select_from(nodes.join(searches))
        .where(of_round(run_id, number, "train"), nodes.c.depth > 0)
        .group_by(nodes.c.status)
        .order_by(sa.func.count().desc(), nodes.c.status)
    )
    return dict(connection.execute(query).all())


def search_endings(connection: sa.Connection, run_id: str, number: int) -> SearchEndings:
    """How the finished searches of a round ended, the most frequent end first."""
    count = sa.func.count()
    query = (
        sa.select(searches.c.ended, count, total(searches.c.rollouts))
        .where(of_round(run_id, number, "train"), searches.c.status == "finished")
        .group_by(searches.c.ended)
        .order_by(count.desc(), searches.c.ended)
    )
    rows = connection.execute(query).all()
    return SearchEndings(
        searches=sum(count for _, count, _ in rows),
        rollouts=sum(spent for _, _, spent in rows),
        ended={ended: count for ended, count, _ in rows},
    )


def pair_counts(connection: sa.Connection, run_id: str, number: int) -> dict[str, int]:
    """Pairs by kind and split, such as `step train`."""
    query = (
        sa.select(pairs.c.kind, pairs.c.split, sa.func.count())
        .where(pairs.c.run_id == run_id, pairs.c.round == number)
        .group_by(pairs.c.kind, pairs.c.split)
        .order_by(pairs.c.kind, pairs.c.split)
    )
    return {f"{kind} {split}": count for kind, split, count in connection.execute(query)}


def costs(connection: sa.Connection, run_id: str, number: int, purpose: Purpose = "train") -> Costs:
    chosen = of_round(run_id, number, purpose)
    names = [field.name for field in msgspec.structs.fields(Costs)][:-1]
    sums = [total(expansions.c[name]) for name in names]
    query = sa.select(*sums).select_from(expansions.join(searches)).where(chosen)
    spent = connection.execute(query).one()
    cpu = sa.select(total(nodes.c.cpu_seconds)).select_from(nodes.join(searches)).where(chosen)
    return Costs(*spent, connection.execute(cpu).scalar_one())  # type: ignore[call-arg]


def _histograms(
    connection: sa.Connection, run_id: str, number: int, value: Any, condition: Any
) -> Histograms:
    """Binned in the database: there are millions of nodes."""
    place = sa.func.round((value + 1.0) * (BINS / 2) - 0.5 + EDGE)
    correct = nodes.c.correct
    query = (
        sa.select(nodes.c.status, correct, place, sa.func.count())
        .select_from(nodes.join(searches))
        .where(of_round(run_id, number, "train"), condition)
        .where(nodes.c.status.in_(["live", "answer"]))
        .group_by(nodes.c.status, correct, place)
    )
    found = Histograms([0] * BINS, [0] * BINS, [0] * BINS)
    for status, is_correct, bin_, count in connection.execute(query):
        of_answer = found.right if is_correct else found.wrong
        target = found.steps if status == "live" else of_answer
        if status == "live" or is_correct is not None:
            target[min(max(int(bin_), 0), BINS - 1)] += count
    return found
