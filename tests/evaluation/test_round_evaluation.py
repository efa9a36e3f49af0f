"""pass@1 of a round, in one process: the ids and figures that stored runs have."""

from contextlib import asynccontextmanager

import pytest
import trio

from rstar_async.config import EvaluationConfig, Recipe, SearchConfig
from rstar_async.evaluation.round_evaluation import RoundEvaluation
from rstar_async.evaluation.settings import EvaluationSettings
from rstar_async.search.models import ActiveModels
from rstar_async.text.encoding import Encoder
from storage import queries
from storage.records import Problem, Round, Run
from storage.store import open_store
from tests.search.world import POLICY, PPM, InProcess, models_in, runner_of

QUESTIONS = {"What is 1 + 2?": "3", "What is 2 + 2?": "4", "What is 2 + 3?": "99"}
PROBLEMS = [Problem(q, "run", q, answer, split="heldout") for q, answer in QUESTIONS.items()]
RECIPE = Recipe(
    search=SearchConfig(max_tokens=64, in_flight=2),
    evaluation=EvaluationConfig(samples=24, rollouts=4, candidates=3),
)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return models_in(tmp_path_factory.mktemp("models"))


@asynccontextmanager
async def evaluation_in(path, models, pools, ppm=PPM):
    active = ActiveModels(POLICY, ppm, Encoder.load(models / POLICY, "tagged"))
    settings = EvaluationSettings.of(RECIPE, "run", 1, active)
    async with open_store(f"sqlite:///{path}") as store:
        await store.commit(Run("run", {}, 1, "test"), Round("run", 1, "trained", POLICY), *PROBLEMS)
        yield RoundEvaluation(settings, runner_of(pools, store), store, PROBLEMS), store


async def stored(store):
    return {e.method: e for e in await store.read(queries.evaluations_of, "run")}


async def test_the_policy_is_measured_by_whole_solutions_with_their_texts(tmp_path, models):
    async with evaluation_in(tmp_path / "s.db", models, InProcess(models)) as (evaluation, store):
        await evaluation.policy()
        policy = (await stored(store))["policy"]
        answers = await store.read(queries.answers_of, policy.id)
        assert await store.read(queries.searches_of, "run", 1) == []
    assert len(answers) == 3 * 24
    assert [answer.sample for answer in answers] == [*range(24)] * 3
    assert all(answer.text for answer in answers)
    assert policy.correct == sum(answer.correct is True for answer in answers) > 0
    assert policy.pass_at_1 == pytest.approx(policy.correct / 72)
    assert (policy.samples, policy.ppm_id, policy.problems) == (24, None, 3)


async def test_the_search_is_measured_by_one_tree_a_problem(tmp_path, models):
    async with evaluation_in(tmp_path / "s.db", models, InProcess(models)) as (evaluation, store):
        await evaluation.search()
        search = (await stored(store))["search"]
        answers = await store.read(queries.answers_of, search.id)
        attempts = await store.read(queries.attempts_of, [a.search_id for a in answers])
    assert [answer.problem_id for answer in answers] == sorted(QUESTIONS)
    for answer, attempt in zip(answers, attempts, strict=True):
        best = max(attempt.answers, key=lambda found: found.prior)
        assert answer.answer == best.answer
        assert answer.correct == (answer.answer == QUESTIONS[answer.problem_id])
    assert search.new_tokens == sum(attempt.new_tokens for attempt in attempts)
    assert search.correct == sum(answer.correct is True for answer in answers) > 0
    assert (search.samples, search.ppm_id) == (1, PPM)


async def test_ids_depend_on_the_round_alone_so_that_older_stores_are_found(tmp_path, models):
    async with evaluation_in(tmp_path / "s.db", models, InProcess(models)) as (evaluation, store):
        await evaluation.policy()
        await evaluation.search()
        ids = {method: one.id for method, one in (await stored(store)).items()}
        searches = await store.read(queries.searches_of, "run", 1, "evaluation")
    assert ids == {"policy": "7860f8aadeef2beb", "search": "b4c4804a86907540"}
    assert sorted(search.id for search in searches) == [
        "8ff90efb2dd50d33",
        "d74f54526dea787f",
        "e345faebfd534bf0",
    ]
    assert {search.seed for search in searches} == {1}


async def test_a_stored_evaluation_is_not_repeated(tmp_path, models):
    async with evaluation_in(tmp_path / "s.db", models, InProcess(models)) as (evaluation, store):
        await evaluation.policy()
        await evaluation.search()
        before = await stored(store)
    pools = InProcess(models)
    async with evaluation_in(tmp_path / "s.db", models, pools) as (evaluation, store):
        await evaluation.policy()
        await evaluation.search()
        assert await stored(store) == before
    assert pools.asked == 0


class Interrupted(InProcess):
    """Cancels `scope` at the 30th request."""

    def __init__(self, models, scope):
        super().__init__(models)
        self._scope = scope

    async def request(self, payload, reply, **options):
        if self.asked >= 30:
            self._scope.cancel()
        return await super().request(payload, reply, **options)


async def test_an_interrupted_search_goes_on_to_the_same_figures(tmp_path, models):
    async with evaluation_in(tmp_path / "a.db", models, InProcess(models)) as (evaluation, store):
        await evaluation.search()
        whole = (await stored(store))["search"]
    with trio.CancelScope() as scope:
        pools = Interrupted(models, scope)
        async with evaluation_in(tmp_path / "b.db", models, pools) as (evaluation, store):
            await evaluation.search()
    assert scope.cancelled_caught
    async with evaluation_in(tmp_path / "b.db", models, InProcess(models)) as (evaluation, store):
        await evaluation.search()
        resumed = (await stored(store))["search"]
    assert (resumed.id, resumed.pass_at_1) == (whole.id, whole.pass_at_1)


async def test_problems_whose_jobs_failed_count_as_not_solved(tmp_path, models):
    pools = InProcess(models)
    pools.fail_at = 0
    async with evaluation_in(tmp_path / "s.db", models, pools) as (evaluation, store):
        await evaluation.policy()
        await evaluation.search()
        found = await stored(store)
        answers = await store.read(queries.answers_of, found["policy"].id)
    assert {method: one.pass_at_1 for method, one in found.items()} == {"policy": 0, "search": 0}
    assert [answer.answer for answer in answers] == [""] * 72
