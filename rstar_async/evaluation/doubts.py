"""Reasons to doubt the answer to a question. Pure."""

from collections.abc import Mapping, Sequence

# Endings of steps that say that the model does not know what to write.
LOST = ("code_error", "unfinished", "malformed")
# From this share on, such steps are a reason.
MANY = 0.5


def doubts(
    answer: str, votes: Mapping[str, int], trees: int, endings: Mapping[str, int]
) -> list[str]:
    """In words. `votes`: by how many of the `trees` each answer was given; `endings`: the steps of
    all trees by how they ended."""
    return [*_disagreement(answer, votes, trees), *_lost_steps(endings)]


def _disagreement(answer: str, votes: Mapping[str, int], trees: int) -> Sequence[str]:
    support, silent = votes.get(answer, 0), trees - sum(votes.values())
    reasons = []
    if len(votes) > 1:
        others = ", ".join(f"{n} {_brief(other)}" for other, n in votes.items() if other != answer)
        best = _brief(answer, answer)
        reasons.append(f"the trees disagree: {support} of {trees} say {best}, {others}")
    if votes and silent:
        reasons.append(f"{silent} of {trees} trees came to no answer")
    return reasons


def _brief(answer: str, best: str = "") -> str:
    """On one line: an answer can be a whole program."""
    if "\n" not in answer:
        return answer
    return "the program above" if answer == best else "another program"


def _lost_steps(endings: Mapping[str, int]) -> Sequence[str]:
    steps, lost = sum(endings.values()), sum(endings.get(kind, 0) for kind in LOST)
    if not steps or lost < MANY * steps:
        return []
    return [
        f"{lost:,} of {steps:,} steps failed as code or had no end: the question is unlike what "
        "the model was trained on"
    ]
