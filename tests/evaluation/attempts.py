"""Attempts as the store would give them back."""

from rstar_async.evaluation.aggregation import Trajectories
from rstar_async.evaluation.selection import Proposal, Trajectory
from storage.queries import Attempt, FoundAnswer
from storage.records import Search


def attempt(number: int, *answers: FoundAnswer, width: int = 4, tokens: int = 100) -> Attempt:
    search = Search(f"s{number}", "run", 1, "p", "evaluation", 1, "policy", status="finished")
    return Attempt(search, list(answers), width, tokens, 1)


def found(answer: str, *, correct: bool, prior: float | None, samples: int = 1) -> FoundAnswer:
    return FoundAnswer("0.1", answer, correct, prior, samples)


def trajectories(*answers: str, tokens: float = 10.0, seconds: float = 2.0) -> Trajectories:
    """One trajectory for each answer, "" for one that came to nothing."""
    proposals = [Proposal(a, a == "right", 0.0, a) if a else None for a in answers]
    return Trajectories([Trajectory(one) for one in proposals], tokens, seconds)
