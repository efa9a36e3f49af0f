"""One question, a few trees at once, one answer."""

import time
from collections.abc import Sequence

import trio

from rstar_async.evaluation.aggregation import answers_in, trajectories_of
from rstar_async.evaluation.dependencies import Dependencies
from rstar_async.evaluation.request import Solved, Vote
from rstar_async.evaluation.runner import Attempts
from rstar_async.evaluation.selection import Proposal, answer_of_tree
from rstar_async.evaluation.settings import EvaluationSettings
from storage import queries
from storage.queries import Attempt
from storage.records import Problem


class Solver:
    """Searches some trees over a question; each answers by the rule of the study, and so does the
    whole of them."""

    def __init__(self, study: EvaluationSettings, services: Dependencies) -> None:
        self._attempts = Attempts(study, services)
        self._store = services.store
        self._runner = services.runner
        self._rule = study.evaluation.answer

    async def solve(self, problem: Problem, trees: int) -> Solved:
        """Search `trees` trees at once; finished ones are taken from the store."""
        started = time.monotonic()
        made: dict[int, Attempt] = {}

        async def search(number: int) -> None:
            made[number] = await self._attempts.make("tree", problem, number)

        async with trio.open_nursery() as nursery:
            for number in range(1, trees + 1):
                nursery.start_soon(search, number)
        in_order = [made[number] for number in sorted(made)]
        return await self._choose(problem, in_order, time.monotonic() - started)

    async def _choose(
        self, problem: Problem, attempts: Sequence[Attempt], seconds: float
    ) -> Solved:
        groups = await self._runner.group_answers(problem, answers_in(attempts))
        proposals = trajectories_of("tree", attempts, groups, self._rule).proposals
        found = [proposal for proposal in proposals if proposal is not None]
        best = answer_of_tree(found, self._rule)
        search = attempts[proposals.index(best)].search.id if best else ""
        return Solved(
            question=problem.question,
            answer=best.answer if best else "",
            score=best.score if best else None,
            text=await self._text(search, best.path) if best else "",
            search_id=search,
            path=best.path if best else "",
            votes=votes(found),
            trajectories=len(attempts),
            tokens=sum(attempt.new_tokens for attempt in attempts),
            seconds=seconds,
        )

    async def _text(self, search_id: str, path: str) -> str:
        steps = await self._store.read(queries.steps_to, search_id, path)
        return "".join(step.text + step.observation for step in steps)


def votes(found: Sequence[Proposal]) -> list[Vote]:
    """How often each answer was given, most often first. Pure."""
    groups: dict[str, list[Proposal]] = {}
    for proposal in found:
        groups.setdefault(proposal.group, []).append(proposal)
    counted = [
        Vote(group, len(members), max(_scores(members), default=None))
        for group, members in groups.items()
    ]
    return sorted(counted, key=lambda vote: -vote.trajectories)


def _scores(found: Sequence[Proposal]) -> list[float]:
    return [proposal.score for proposal in found if proposal.score is not None]
