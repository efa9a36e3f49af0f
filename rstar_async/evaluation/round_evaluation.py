"""pass@1 on held-out problems of the models of one round, as the round driver measures it.

The ids of its searches and evaluations depend on the round alone; an evaluation that is stored is
not repeated. Sampled solutions are not stored as searches: the answers of the evaluation have their
texts.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import trio

from rstar_async.errors import JobFailed
from rstar_async.evaluation.aggregation import distinct_proposals
from rstar_async.evaluation.attempts import Attempts
from rstar_async.evaluation.intervals import share_with_interval
from rstar_async.evaluation.recorded_tree import RecordedTree
from rstar_async.evaluation.sampling import Sampling
from rstar_async.evaluation.selection import Proposal, answer_of_tree
from rstar_async.evaluation.settings import EvaluationSettings
from rstar_async.evaluation.strategies import TREE
from rstar_async.evaluation.unmeasured import TRIES, Unmeasured, failure_in, missing
from rstar_async.search.runner import SearchRunner
from rstar_async.seeding import digest, search_id, tree_seed
from rstar_async.wire.exception_groups import first
from storage import queries
from storage.queries import Attempt
from storage.records import EvaluationAnswer, Problem, Search
from storage.store import Store

log = logging.getLogger(__name__)

BENCHMARK = "heldout"
Method: TypeAlias = Literal["policy", "search"]


@dataclass(frozen=True, slots=True)
class Measured:
    """The answers to one problem, and the tokens that they took."""

    answers: Sequence[EvaluationAnswer]
    new_tokens: int


class RoundEvaluation:
    """The models of one round on its held-out problems.

    A problem whose jobs fail for good raises `Unmeasured` after all others were tried; nothing is
    stored then, and a second call measures what is missing.
    """

    def __init__(
        self,
        settings: EvaluationSettings,
        runner: SearchRunner,
        store: Store,
        problems: Sequence[Problem],
    ) -> None:
        self._settings = settings
        self._alone = replace(settings, models=replace(settings.models, ppm=None), ppm_note="")
        self._runner = runner
        self._store = store
        self._problems = problems

    async def policy(self, on_sampled: Callable[[int], None] = lambda tokens: None) -> None:
        """Measure the policy alone: the mean over `evaluation.samples` solutions a problem.

        `on_sampled` is told of each problem that is done, with its tokens.
        """
        sampling = Sampling(self._settings.evaluation.samples)
        limit = trio.Semaphore(self._settings.search.in_flight)

        async def measure(problem: Problem) -> Measured | str:
            async with limit:
                measured = await self._sample(problem, sampling)
            on_sampled(measured.new_tokens if isinstance(measured, Measured) else 0)
            return measured

        await self._measure("policy", self._alone, sampling.width, measure)

    async def search(self) -> None:
        """Measure one tree a problem, which gives one answer by the rule `evaluation.answer`."""
        attempts = Attempts(self._settings, self._runner, self._store)

        async def measure(problem: Problem) -> Measured | str:
            row = self._search_row(problem)
            attempt = await attempts.finish(TREE, problem, row)
            return failure_in([attempt]) or self._chosen(problem, attempt)

        await self._measure("search", self._settings, 1, measure)

    async def _measure(
        self,
        method: Method,
        settings: EvaluationSettings,
        samples: int,
        measure: Callable[[Problem], Awaitable[Measured | str]],
    ) -> None:
        """Measure every problem, all at once, and store the evaluation with its answers; `measure`
        returns why it could not."""
        id_ = self._id(method)
        stored = await self._store.read(queries.evaluations_of, settings.run_id)
        if any(evaluation.id == id_ for evaluation in stored):
            return
        started = time.monotonic()
        found: dict[str, Measured] = {}
        failures: dict[str, str] = {}

        async def measure_one(problem: Problem) -> None:
            match await measure(problem):
                case Measured() as measured:
                    found[problem.id] = measured
                case str(reason):
                    failures[problem.id] = reason

        async with trio.open_nursery() as nursery:
            for problem in self._problems:
                nursery.start_soon(measure_one, problem)
        if failures:
            what = f"round {settings.round}, {method}"
            raise Unmeasured(missing(what, failures, len(self._problems)))
        answers = [one for problem in self._problems for one in found[problem.id].answers]
        evaluation = settings.evaluation_record(
            id_,
            method,
            BENCHMARK,
            share_with_interval([*queries.success_rates(answers).values()]),
            problems=len(self._problems),
            samples=samples,
            correct=sum(answer.correct is True for answer in answers),
            new_tokens=sum(measured.new_tokens for measured in found.values()),
            seconds=time.monotonic() - started,
            settings={
                "rollouts": settings.search.rollouts,
                "candidates": settings.search.candidates,
                "measured": len(found),
            },
        )
        await self._store.commit(evaluation, *answers)

    async def _sample(self, problem: Problem, sampling: Sampling) -> Measured | str:
        """What was sampled; why it could not be, if that was tried often enough."""
        for _ in range(TRIES):
            sampled = await self._sample_once(problem, sampling)
            if isinstance(sampled, Measured):
                break
        return sampled

    async def _sample_once(self, problem: Problem, sampling: Sampling) -> Measured | str:
        tree_id = digest("sampling", self._id("policy"), problem.id).hex()
        seed = tree_seed("sampling", self._settings.round, self._settings.seed, problem.question)
        expander = self._runner.expander(problem, tree_id, seed, self._alone.plan(sampling))
        tree, reason = RecordedTree(), ""
        try:
            await sampling.grow(expander, tree, self._settings.evaluation)
        except* JobFailed as failures:
            reason = str(first(failures))
            log.error("sampling failed", extra={"problem": problem.id, "reason": reason})
        finally:
            self._runner.end_tree(tree_id)
        if reason:
            return reason
        answers = [
            self._answer("policy", problem, number, proposal, text=text)
            for number, (proposal, text) in enumerate(tree.solutions())
        ]
        return Measured(answers, tree.new_tokens)

    def _chosen(self, problem: Problem, attempt: Attempt) -> Measured:
        """The answer of a tree."""
        search = attempt.search.id
        rule = self._settings.evaluation.answer
        chosen = answer_of_tree(distinct_proposals(attempt), rule)
        answer = self._answer("search", problem, 0, chosen, search_id=search)
        return Measured([answer], attempt.new_tokens)

    def _answer(
        self,
        method: Method,
        problem: Problem,
        sample: int,
        given: Proposal | None = None,
        *,
        text: str = "",
        search_id: str | None = None,
    ) -> EvaluationAnswer:
        return EvaluationAnswer(
            evaluation_id=self._id(method),
            problem_id=problem.id,
            sample=sample,
            answer=given.answer if given else "",
            correct=given is not None and given.is_correct is True,
            text=text,
            search_id=search_id,
        )

    def _search_row(self, problem: Problem) -> Search:
        run, number, seed = self._settings.run_id, self._settings.round, self._settings.seed
        id_ = search_id(run, number, "evaluation", problem.id, seed)
        return self._settings.search_row(id_, problem, seed)

    def _id(self, method: Method) -> str:
        run, number = self._settings.run_id, self._settings.round
        return digest("evaluation", run, number, BENCHMARK, method).hex()
