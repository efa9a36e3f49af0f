"""What the policy's samples on held-out problems came to, and what the rounds changed about it."""

from collections.abc import Sequence

from rstar_async.evaluation.intervals import mean_difference, on_common_problems, success_rates
from rstar_async.reports.facts import Heldout
from storage import queries
from storage.database import Database
from storage.records import Evaluation, EvaluationAnswer


def heldout_by_round(database: Database, evaluations: Sequence[Evaluation]) -> dict[int, Heldout]:
    """Of every round whose policy was sampled; gains are over the first of them."""
    sampled = sorted((e for e in evaluations if e.method == "policy"), key=lambda e: e.round)
    answers = {e.round: database.read(queries.answers_of, e.id) for e in sampled}
    first = next(iter(answers.values()), [])
    return {number: heldout_of(found, first) for number, found in answers.items()}


def heldout_of(found: Sequence[EvaluationAnswer], first: Sequence[EvaluationAnswer]) -> Heldout:
    """Pure. The gain is over the problems that both were asked; none against itself."""
    rates, before = on_common_problems(success_rates(found), success_rates(first))
    gain = None
    if rates and found is not first:
        share = mean_difference(rates, before)
        gain = share.mean, share.low, share.high
    right = sum(answer.correct is True for answer in found)
    silent = sum(not answer.answer for answer in found)
    return Heldout(right, len(found) - right - silent, silent, gain)
