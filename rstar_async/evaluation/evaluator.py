"""Measures a policy, or a search with policy and PPM, on held-out problems; stores the result."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

import trio

from rstar_async.config import AnswerRule
from rstar_async.errors import JobFailed
from rstar_async.evaluation.intervals import share_with_interval
from rstar_async.evaluation.sampling import SampledSolution, SampledSolutions, sample_solutions
from rstar_async.evaluation.selection import Choice, choose_answer
from rstar_async.search.runner import SearchPlan, SearchRunner
from rstar_async.seeding import digest, search_id, tree_seed
from rstar_async.wire.exception_groups import single
from storage import queries
from storage.records import Evaluation, EvaluationAnswer, Problem, Search
from storage.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured: which round of which run on which benchmark, with which seed."""

    run_id: str
    round: int
    benchmark: str
    seed: int

    def evaluation_id(self, method: str) -> str:
        return digest("evaluation", self.run_id, self.round, self.benchmark, method).hex()


class Evaluator:
    """Measures on one set of problems. Evaluating twice changes nothing: ids come from content."""

    def __init__(
        self, coordinator: SearchRunner, store: Store, problems: Sequence[Problem], subject: Subject
    ) -> None:
        self._coordinator = coordinator
        self._store = store
        self._problems = problems
        self._subject = subject

    async def policy(self, plan: SearchPlan, samples: int) -> None:
        """pass@1 of the policy alone: the mean over `samples` whole solutions a problem.

        A problem whose jobs failed for good counts as not solved.
        """
        started = time.monotonic()
        results: dict[str, SampledSolutions] = {}
        room = trio.Semaphore(plan.settings.in_flight)

        async def sample_one(problem: Problem) -> None:
            async with room:
                results[problem.id] = await self._sample(problem, plan, samples)

        async with trio.open_nursery() as nursery:
            for problem in self._problems:
                nursery.start_soon(sample_one, problem)
        await self._store_policy(plan, samples, results, time.monotonic() - started)

    async def search(self, plan: SearchPlan, rule: AnswerRule) -> None:
        """pass@1 of tree search: one answer a problem, chosen by `rule`."""
        started = time.monotonic()
        searches = {p.id: self._search_row(p, plan) for p in self._problems}
        mine = {row.id for row in searches.values()}
        await self._store.commit(*searches.values())
        stored = await self._store.read(
            queries.searches_of, self._subject.run_id, self._subject.round, "evaluation"
        )
        trees = await self._coordinator.search_all(
            [s for s in stored if s.id in mine and s.status != "failed"],
            {p.id: p for p in self._problems},
            plan,
        )
        chosen = {p: choose_answer(trees[s.id], rule) for p, s in searches.items() if s.id in trees}
        attempts = await self._store.read(queries.attempts_of, list(trees))
        tokens = sum(attempt.new_tokens for attempt in attempts)
        answers = [
            self._chosen_answer(problem, chosen.get(problem), search.id)
            for problem, search in searches.items()
        ]
        await self._store_evaluation("search", plan, 1, answers, tokens, time.monotonic() - started)

    async def _sample(self, problem: Problem, plan: SearchPlan, samples: int) -> SampledSolutions:
        tree_id = digest("sampling", self._subject.evaluation_id("policy"), problem.id).hex()
        subject = self._subject
        seed = tree_seed("sampling", subject.round, subject.seed, problem.question)
        expander = self._coordinator.expander(problem, tree_id, seed, plan)
        result = SampledSolutions([SampledSolution("", False, "")] * samples)
        try:
            result = await sample_solutions(expander, samples)
        except* JobFailed as failures:
            log.error("sampling failed problem=%s reason=%s", problem.id, single(failures))
        finally:
            self._coordinator.end_tree(tree_id)
        return result

    async def _store_policy(
        self,
        plan: SearchPlan,
        samples: int,
        results: dict[str, SampledSolutions],
        seconds: float,
    ) -> None:
        answers = [
            self._sampled_answer(problem, number, solution)
            for problem, result in results.items()
            for number, solution in enumerate(result.solutions)
        ]
        tokens = sum(result.new_tokens for result in results.values())
        await self._store_evaluation("policy", plan, samples, answers, tokens, seconds)

    async def _store_evaluation(
        self,
        method: str,
        plan: SearchPlan,
        samples: int,
        answers: Sequence[EvaluationAnswer],
        new_tokens: int,
        seconds: float,
    ) -> None:
        share = share_with_interval(_rates(answers))
        evaluation = Evaluation(
            id=self._subject.evaluation_id(method),
            run_id=self._subject.run_id,
            round=self._subject.round,
            method=method,
            benchmark=self._subject.benchmark,
            policy_id=plan.models.policy,
            ppm_id=plan.models.ppm,
            problems=len(self._problems),
            samples=samples,
            correct=sum(answer.correct is True for answer in answers),
            pass_at_1=share.mean,
            low=share.low,
            high=share.high,
            new_tokens=new_tokens,
            seconds=seconds,
            settings={"rollouts": plan.settings.rollouts, "candidates": plan.settings.candidates},
        )
        await self._store.commit(evaluation, *answers)

    def _search_row(self, problem: Problem, plan: SearchPlan) -> Search:
        subject = self._subject
        return Search(
            id=search_id(subject.run_id, subject.round, "evaluation", problem.id, subject.seed),
            run_id=subject.run_id,
            round=subject.round,
            problem_id=problem.id,
            purpose="evaluation",
            seed=subject.seed,
            policy_id=plan.models.policy,
            ppm_id=plan.models.ppm,
        )

    def _sampled_answer(
        self, problem: str, number: int, solution: SampledSolution
    ) -> EvaluationAnswer:
        return EvaluationAnswer(
            evaluation_id=self._subject.evaluation_id("policy"),
            problem_id=problem,
            sample=number,
            answer=solution.answer,
            correct=solution.is_correct,
            text=solution.text,
        )

    def _chosen_answer(self, problem: str, choice: Choice | None, search: str) -> EvaluationAnswer:
        return EvaluationAnswer(
            evaluation_id=self._subject.evaluation_id("search"),
            problem_id=problem,
            sample=0,
            answer=choice.answer if choice else "",
            correct=choice is not None and choice.is_correct is True,
            search_id=search,
        )


def _rates(answers: Sequence[EvaluationAnswer]) -> list[float]:
    """Success rate of every problem."""
    by_problem: dict[str, list[bool]] = {}
    for answer in answers:
        by_problem.setdefault(answer.problem_id, []).append(answer.correct is True)
    return [sum(right) / len(right) for right in by_problem.values()]
