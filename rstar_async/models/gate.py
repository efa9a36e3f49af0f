"""The gate: is a new model significantly worse than the one before it?

Both are measured on the same problems and compared problem by problem, so that differences in
difficulty cancel out. Reads stored evaluations; loads no model.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

from rstar_async.evaluation.intervals import mean_difference
from storage import queries
from storage.queries import Connection
from storage.records import Evaluation, ModelStanding, ModelVersion

# With fewer no difference is significant.
FEWEST_PROBLEMS = 8


@dataclass(frozen=True, slots=True)
class Comparison:
    """Mean rates on the problems that both were measured on, and the 95 % interval of the mean
    difference."""

    problems: int
    before: float
    after: float
    low: float
    high: float

    @property
    def is_worse(self) -> bool:
        return self.problems >= FEWEST_PROBLEMS and self.high < 0

    def __str__(self) -> str:
        return (
            f"{self.after:.3f} after {self.before:.3f} on {self.problems} problems "
            f"(difference {self.low:+.3f} to {self.high:+.3f})"
        )


def compare(before: Mapping[str, float], after: Mapping[str, float]) -> Comparison:
    """Rates in [0, 1] by problem."""
    common = sorted(before.keys() & after.keys())
    if not common:
        return Comparison(0, 0.0, 0.0, -1.0, 1.0)
    old, new = ([rates[problem] for problem in common] for rates in (before, after))
    difference = mean_difference(new, old)
    return Comparison(len(common), fmean(old), fmean(new), difference.low, difference.high)


def refusals(connection: Connection, run: str, number: int) -> list[ModelStanding]:
    """The policy of round `number`, and the PPM that descends from it, if its pass@1 is worse than
    that of the policy before it."""
    policy = queries.latest_published(connection, run, "policy", number)
    before = queries.latest_published(connection, run, "policy", number - 1)
    if policy is None or before is None or policy.round != number:
        return []
    comparison = compare(_rates(connection, before), _rates(connection, policy))
    if not comparison.is_worse:
        return []
    reason = f"pass@1 on held-out problems fell to {comparison}"
    pair = [policy, *_children(connection, policy)]
    return [ModelStanding(model.id, "refused", reason) for model in pair]


def _rates(connection: Connection, policy: ModelVersion) -> dict[str, float]:
    """Share of right samples by problem, of the newest evaluation of this policy alone."""
    evaluation = _evaluation(connection, policy)
    return (
        queries.success_rates(queries.answers_of(connection, evaluation.id)) if evaluation else {}
    )


def _evaluation(connection: Connection, policy: ModelVersion) -> Evaluation | None:
    found = [
        evaluation
        for evaluation in queries.evaluations_of(connection, policy.run_id)
        if (evaluation.method, evaluation.benchmark) == ("policy", "heldout")
        and evaluation.policy_id == policy.id
    ]
    return found[-1] if found else None


def _children(connection: Connection, policy: ModelVersion) -> list[ModelVersion]:
    versions = queries.model_versions_of(connection, policy.run_id)
    return [v for v in versions if v.parent_id == policy.id and v.status == "published"]
