"""The policy's samples on held-out problems, and how much they gained since the bootstrap."""

from collections.abc import Sequence

from rstar_async.evaluation.intervals import mean_difference
from rstar_async.reports.contents import Heldout
from storage import queries
from storage.database import Database
from storage.records import Evaluation, EvaluationAnswer


def heldout_by_round(database: Database, evaluations: Sequence[Evaluation]) -> dict[int, Heldout]:
    """By round, for each round whose policy was sampled; gains are over the first of them."""
    sampled = sorted((e for e in evaluations if e.method == "policy"), key=lambda e: e.round)
    answers = {e.round: database.read(queries.answers_of, e.id) for e in sampled}
    first = next(iter(answers.values()), [])
    return {number: heldout_of(found, first) for number, found in answers.items()}


def heldout_of(found: Sequence[EvaluationAnswer], first: Sequence[EvaluationAnswer]) -> Heldout:
    """The gain is over the problems that both have; None for the first round itself. Pure."""
    rates, before = queries.success_rates(found), queries.success_rates(first)
    both = sorted(rates.keys() & before.keys())
    gain = None
    if both and found is not first:
        share = mean_difference([rates[p] for p in both], [before[p] for p in both])
        gain = share.mean, share.low, share.high
    right = sum(answer.correct is True for answer in found)
    unanswered = sum(not answer.answer for answer in found)
    return Heldout(right, len(found) - right - unanswered, unanswered, gain)
