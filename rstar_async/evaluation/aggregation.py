"""From attempts to trajectories: what each method has to choose from, and what one costs. Pure."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from rstar_async.config import AnswerRule
from rstar_async.evaluation.selection import Proposal, answer_of_tree
from rstar_async.evaluation.settings import Method
from storage.queries import Attempt, FoundAnswer


@dataclass(frozen=True, slots=True)
class Trajectories:
    """What a method came to on one problem: a proposal or None each, with their mean cost.

    `answers` has all that each found, where that can be more than the one that it proposes.
    """

    proposals: list[Proposal | None]
    tokens_each: float
    seconds_each: float
    answers: Sequence[Sequence[Proposal]] = ()

    def blocks(self, size: int) -> list[list[Proposal]]:
        """Disjoint groups of `size` trajectories, without those that came to nothing.

        Trajectories are independent and alike, so the mean over the blocks estimates what `size`
        of them achieve better than the first block alone. One block if there are fewer.
        """
        return [[one for one in block if one is not None] for block in self.drawn(size)]

    def pooled(self, size: int) -> list[list[Proposal]]:
        """All answers of the same groups."""
        size = min(size, len(self.answers)) or 1
        starts = range(0, len(self.answers) - size + 1, size)
        blocks = [self.answers[start : start + size] for start in starts]
        return [list(chain.from_iterable(block)) for block in blocks] or [[]]

    def drawn(self, size: int) -> list[list[Proposal | None]]:
        """The same groups, with those that came to nothing in their places."""
        size = min(size, len(self.proposals)) or 1
        starts = range(0, len(self.proposals) - size + 1, size)
        return [self.proposals[start : start + size] for start in starts] or [[]]


def trajectories_of(
    method: Method, attempts: Sequence[Attempt], groups: Mapping[str, str], rule: AnswerRule
) -> Trajectories:
    """A tree or a beam pass is one trajectory, its answer by `rule`; a batch has one a sample.

    `groups` maps each answer to the first one that means the same.
    """
    answers = [proposals_of(attempt, groups) for attempt in attempts]
    if method in ("tree", "beam"):
        proposals = [answer_of_tree(found, rule) for found in answers]
    else:
        proposals, answers = _shuffled(attempts, groups), []
    count = len(proposals) or 1
    tokens = sum(attempt.new_tokens for attempt in attempts) / count
    seconds = sum(attempt.search.seconds for attempt in attempts) / count
    return Trajectories(proposals, tokens, seconds, answers)


def answers_in(attempts: Iterable[Attempt]) -> list[str]:
    """The different answers, in order."""
    return list(dict.fromkeys(a.answer for attempt in attempts for a in attempt.answers))


def proposals_of(attempt: Attempt, groups: Mapping[str, str]) -> list[Proposal]:
    """One for each answer of an attempt, as often as it was sampled."""
    return [
        proposal
        for answer in attempt.answers
        for proposal in [_proposal(answer, groups)] * answer.samples
    ]


def _shuffled(attempts: Sequence[Attempt], groups: Mapping[str, str]) -> list[Proposal | None]:
    """One entry a sample. The rows are in the order of paths, where short solutions come early;
    any few of the shuffled ones are a fair draw."""
    entries: list[Proposal | None] = []
    for attempt in attempts:
        own: list[Proposal | None] = []
        for answer in attempt.answers:
            own.extend([_proposal(answer, groups)] * answer.samples)
        own.extend([None] * (attempt.width - len(own)))
        random.Random(attempt.search.id).shuffle(own)
        entries.extend(own)
    return entries


def _proposal(answer: FoundAnswer, groups: Mapping[str, str]) -> Proposal:
    found = Proposal(answer.answer, answer.correct, answer.prior, path=answer.path)
    return replace(found, group=groups.get(answer.answer, answer.answer))
