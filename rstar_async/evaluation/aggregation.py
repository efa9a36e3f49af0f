"""From stored attempts to the proposals and trajectories that rules choose among. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rstar_async.evaluation.selection import Proposal, Trajectory
from storage.queries import Attempt, FoundAnswer


@dataclass(frozen=True, slots=True)
class Trajectories:
    """What one strategy came to on one problem, with the mean cost of a trajectory."""

    each: Sequence[Trajectory]
    tokens_each: float
    seconds_each: float

    @classmethod
    def of(cls, each: Sequence[Trajectory], attempts: Sequence[Attempt]) -> "Trajectories":
        """Of all attempts; a single trajectory without an answer if there is none."""
        count = len(each) or 1
        return cls(
            each or [Trajectory(None)],
            sum(attempt.new_tokens for attempt in attempts) / count,
            sum(attempt.search.seconds for attempt in attempts) / count,
        )

    def blocks(self, size: int) -> list[Sequence[Trajectory]]:
        """Disjoint groups of `size` trajectories; one group if there are fewer.

        Trajectories are independent and alike, so the mean over the blocks estimates what `size`
        of them achieve better than the first block alone.
        """
        size = min(size, len(self.each))
        starts = range(0, len(self.each) - size + 1, size)
        return [self.each[start : start + size] for start in starts]


def proposals_of(attempt: Attempt, groups: Mapping[str, str]) -> list[Proposal]:
    """The answers of an attempt by path, each as often as it was sampled.

    `groups` maps each answer to the first one that means the same.
    """
    return [
        proposal
        for answer in attempt.answers
        for proposal in [_proposal(answer, groups.get(answer.answer, ""))] * answer.samples
    ]


def distinct_proposals(attempt: Attempt) -> list[Proposal]:
    """One for each answer node, in the order in which the tree found them; only equal texts vote
    together."""
    return [_proposal(answer) for answer in sorted(attempt.answers, key=_birth)]


def value_of(answer: FoundAnswer) -> float | None:
    """The PPM's value of the path to an answer, as its search stored it; None without a PPM."""
    return answer.prior


def answers_in(attempts: Iterable[Attempt]) -> list[str]:
    """The different answers, in order."""
    return list(dict.fromkeys(a.answer for attempt in attempts for a in attempt.answers))


def _proposal(answer: FoundAnswer, group: str = "") -> Proposal:
    score = value_of(answer)
    return Proposal(answer.answer, answer.correct, score, group or answer.answer, answer.path)


def _birth(answer: FoundAnswer) -> tuple[int, int]:
    """Siblings by number: "0.10" comes after "0.2"."""
    return answer.expansion, int(answer.path.rpartition(".")[2])
