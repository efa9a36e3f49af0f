"""Models, brokers and workers that are kept ready for any number of questions."""

import json
import logging
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from msgspec import structs

from rstar_async.api.functions import FunctionDomain, Reward, Verifier
from rstar_async.api.models import models_in
from rstar_async.api.result import SearchResult, SearchStatistics, best_answer
from rstar_async.config import AnswerRule
from rstar_async.config.loader import changed
from rstar_async.domains.registry import domain_of
from rstar_async.errors import BadInput, RstarError
from rstar_async.evaluation.models import ModelRef
from rstar_async.evaluation.trust import names_ppm, with_trusted_ppm
from rstar_async.launch.lock import running_holder
from rstar_async.launch.services import open_services
from rstar_async.launch.sockets import clients_endpoint
from rstar_async.search.expansion import AnswerValue
from rstar_async.search.models import ActiveModels
from rstar_async.search.pools import open_pools
from rstar_async.search.runner import SearchPlan, SearchRunner
from rstar_async.search.tree import Tree
from rstar_async.wire.payloads import POOLS, Pool
from storage import queries
from storage.records import Problem, Search, content_id, problem_id
from storage.store import Store, open_store

log = logging.getLogger(__name__)

PURPOSE = "evaluation"


class Session:
    """Get one from `open_session`. Any number of tasks may search at once."""

    def __init__(
        self,
        models: ModelRef,
        runner: SearchRunner,
        store: Store,
        plan: SearchPlan,
        rule: AnswerRule,
    ) -> None:
        self._models = models
        self._runner = runner
        self._store = store
        self._plan = plan
        self._rule = rule

    async def search(
        self, question: str, *, answer: str | None = None, seed: int = 1
    ) -> SearchResult:
        """Search one question; equal arguments grow equal trees.

        With a gold `answer`, or if the session has a verifier, answers are rewarded by being right
        or wrong; else by the value that the reward or the PPM gives them. Raises `RstarError` if
        the workers cannot carry out the search.
        """
        if not question.strip():
            raise BadInput("the question is empty")
        plan = self._plan if answer is None else replace(self._plan, answer_value="truth")
        run = self._models.run_id
        problem = Problem(problem_id(run, question), run, question, answer or "", split="heldout")
        search = self._search_row(problem, seed)
        await self._store.commit(problem, search)
        tree = await self._runner.search(await self._stored(search.id), problem, plan)
        stored = await self._stored(search.id)
        if tree is None:
            raise RstarError(f"the search failed: {stored.failure}")
        return await self._result(problem, stored, tree, plan)

    async def _stored(self, search: str) -> Search:
        found = await self._store.read(queries.search_by_id, search)
        assert found is not None
        return found

    async def _result(
        self, problem: Problem, search: Search, tree: Tree, plan: SearchPlan
    ) -> SearchResult:
        answers = {node.candidate.answer for node in tree.answers()} - {""}
        groups = await self._runner.group_answers(problem, sorted(answers))
        best = best_answer(tree, groups, self._rule)
        cost = await self._store.read(queries.cost_of, search.id)
        return SearchResult(
            question=problem.question,
            answer=best.candidate.answer if best else "",
            is_correct=best.candidate.is_correct if best and plan.budget.knows_truth else None,
            path=tuple(best.path_from_root()) if best else (),
            tree=tree,
            statistics=SearchStatistics(
                rollouts=search.rollouts,
                nodes=len(tree.nodes) - 1,
                answers=sum(1 for _ in tree.answers()),
                tokens=cost.new_tokens,
                seconds=search.seconds,
                cpu_seconds=cost.cpu_seconds,
            ),
        )

    def _search_row(self, problem: Problem, seed: int) -> Search:
        models = self._models
        return Search(
            id=content_id(PURPOSE, models.run_id, problem.id, problem.answer, seed),
            run_id=models.run_id,
            round=models.round,
            problem_id=problem.id,
            purpose="evaluation",
            seed=seed,
            policy_id=models.policy,
            ppm_id=models.ppm,
        )


@asynccontextmanager
async def open_session(
    model: str | Path = "demo",
    *,
    ppm: str | Path | None = None,
    verifier: Verifier | None = None,
    reward: Reward | None = None,
    rollouts: int = 16,
    candidates: int = 8,
    settings: Mapping[str, Any] | None = None,
    brokers: str | Path | None = None,
    home: str | Path | None = None,
) -> AsyncIterator[Session]:
    """Load a model once and search many questions with it. For trio, in the main thread.

    `model`: "demo", the folder of a checkpoint, of a published policy, or of a run, whose newest
    policy and PPM are taken. `ppm`: the folder of a published PPM that guides the search.
    `verifier` and `reward` take a `Solution` and may be async; `reward` stands in for a PPM.
    `settings`: any other setting of a recipe, such as `{"search.max_depth": 8, "problems.domain":
    "math", "workers.engine": "sglang"}`. `brokers`: the home of a run that is going on, whose
    workers are used and whose models `model` must be among; without it brokers and workers are
    started and stopped here. `home`: keep trees and logs in this folder, for `rstar view`.
    """
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(_folder(home))
        wanted = {"search.rollouts": rollouts, "search.candidates": candidates, **(settings or {})}
        found = _configured(models_in(folder, model, ppm), wanted, is_named=ppm is not None)
        recipe = found.recipe
        domain = domain_of(recipe)
        if verifier is not None or reward is not None:
            domain = FunctionDomain(domain, verifier, reward)
        models = ActiveModels.load(recipe.models_folder, found.policy, found.ppm, domain.prompts)
        endpoints = (
            await stack.enter_async_context(open_services(recipe))
            if brokers is None
            else _running(Path(brokers), found)
        )
        store = await stack.enter_async_context(open_store(recipe.database_url))
        await stack.enter_async_context(domain)
        window = recipe.search.in_flight * recipe.search.parallel * recipe.search.candidates
        pools = await stack.enter_async_context(open_pools(endpoints, window=window))
        value: AnswerValue = "ppm" if verifier is None else "truth"
        plan = SearchPlan(models, recipe.search, recipe.execution, value, recipe.bounds)
        runner = SearchRunner(pools, store, domain)
        yield Session(found, runner, store, plan, recipe.evaluation.answer)


@contextmanager
def _folder(home: str | Path | None) -> Iterator[Path]:
    """The caller's folder, or one that is removed at the end."""
    if home is not None:
        yield Path(home).absolute()
        return
    with tempfile.TemporaryDirectory(prefix="rstar-session-") as folder:
        yield Path(folder)


def _configured(found: ModelRef, settings: Mapping[str, Any], *, is_named: bool) -> ModelRef:
    """The models with the caller's settings: without a PPM that is not trusted, unless the caller
    names it, and without workers that have no PPM."""
    texts = [(k, v if isinstance(v, str) else json.dumps(v)) for k, v in settings.items()]
    configured = replace(found, recipe=changed(found.recipe, texts))
    models = with_trusted_ppm(configured, is_named=is_named or names_ppm(texts))
    if models.ppm_note:
        log.warning("PPM: %s", models.ppm_note)
    if models.ppm is not None:
        return models
    workers = structs.replace(models.recipe.workers, reward=0)
    return replace(models, recipe=structs.replace(models.recipe, workers=workers))


def _running(home: Path, found: ModelRef) -> dict[Pool, str]:
    """The endpoints of a run's brokers."""
    sockets = Path(running_holder(home).sockets)
    if not (home / "models" / found.policy).is_dir():
        raise BadInput(f"brokers: the workers of {home} have no model {found.policy}")
    return {pool: clients_endpoint(sockets, pool) for pool in POOLS}
