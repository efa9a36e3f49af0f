"""Details of a round for the report: difficulty, distributions, errors, costs."""

from collections import Counter

import msgspec
import sqlalchemy as sa

from storage.queries.select import of_round, total
from storage.queries.sums import answers_of_search, counts_in_round, sums_in_round, with_sums
from storage.records import Purpose
from storage.sums.histograms import BINS, SIDES, Histograms
from storage.tables import pairs, problems, searches


class ProblemOutcome(msgspec.Struct, frozen=True):
    """A searched problem: its level as the source says, and how many of its answers are right."""

    level: str
    kind: str
    solved: bool
    right: int
    wrong: int


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


_COSTS = [field.name for field in msgspec.structs.fields(Costs)]


class StepCounts(msgspec.Struct, frozen=True):
    """Nodes by status, roots left out, and failed code by what ended it (`NameError`, `timeout` …),
    the most frequent first; Q of the visited nodes and PPM values, of answers and live steps."""

    statuses: dict[str, int]
    errors: dict[str, int]
    q: Histograms
    prior: Histograms


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
    query = (
        sa.select(
            problems.c.level,
            problems.c.kind,
            sa.func.max(sa.case((searches.c.solved.is_(sa.true()), 1), else_=0)),
            total(answers_of_search("right_answers", right=True)),
            total(answers_of_search("wrong_answers", right=False)),
        )
        .select_from(with_sums.join(problems, problems.c.id == searches.c.problem_id))
        .where(of_round(run_id, number, purpose))
        .where(searches.c.status != "failed")
        .group_by(problems.c.id, problems.c.level, problems.c.kind)
        .order_by(problems.c.id)
    )
    return [
        ProblemOutcome(level, kind, bool(solved), right, wrong)
        for level, kind, solved, right, wrong in connection.execute(query)
    ]


def step_counts(connection: sa.Connection, run_id: str, number: int) -> StepCounts:
    """Of the training searches of a round."""
    sides = [f"{value} {side}" for value in ("q", "prior") for side in SIDES]
    status, error, *places = counts_in_round(
        connection, run_id, number, "train", "status", "error", *sides
    )
    bins = [[counts[str(place)] for place in range(BINS)] for counts in places]
    q, prior = Histograms(*bins[: len(SIDES)]), Histograms(*bins[len(SIDES) :])
    return StepCounts(_most_first(status), _most_first(error), q, prior)


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
    searched = [each.sums for each in sums_in_round(connection, run_id, number, purpose)]
    return Costs(*(sum(getattr(sums, name) for sums in searched) for name in _COSTS))


def _most_first(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
