"""Answers that mean the same, such as 1/2 and \\frac{1}{2}, are one vote."""

from collections.abc import Iterable
from typing import Protocol


class Equality(Protocol):
    """What compares two answers: see `answers.checker.Checker`."""

    async def equal(self, gold: str, predicted: str) -> str: ...


async def group_answers(answers: Iterable[str], equality: Equality) -> dict[str, str]:
    """Each answer with the first one that it equals. The gold answer is not asked."""
    groups: dict[str, str] = {}
    firsts: list[str] = []
    for answer in dict.fromkeys(answers):
        for first in firsts:
            if await equality.equal(first, answer) == "equal":
                groups[answer] = first
                break
        else:
            firsts.append(answer)
            groups[answer] = answer
    return groups
