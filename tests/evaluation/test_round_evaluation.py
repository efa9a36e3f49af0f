"""pass@1 of a round, in one process: the ids and figures that stored runs have."""

from contextlib import asynccontextmanager

import pytest
import trio

from rstar_async.config import EvaluationConfig, Recipe, SearchConfig
from rstar_async.errors import JobFailed
from rstar_async.evaluation.round_evaluation import RoundEvaluation
from rstar_async.evaluation.settings import EvaluationSettings
from rstar_async.evaluation.unmeasured import Unmeasured
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


class BadWorker(InProcess):
    """Fails every job about the question, at most `failures` times in all."""

    def __init__(self, models, question: str, failures: int | None = None) -> None:
        super().__init__(models)
        self._encoder = Encoder.load(models / POLICY, "tagged")
        self._question, self._failures = question, failures

    async def request(self, payload, reply, **options):
        prompt = getattr(payload, "prompt", [])
        if self._failures != 0 and self._question in self._encoder.decode(prompt):
            self._failures = None if self._failures is None else self._failures - 1
            raise JobFailed("error", "a bad worker")
        return await super().request(payload, reply, **options)


async def test_a_problem_whose_jobs_failed_once_is_measured_at_the_second_try(tmp_path, models):
    async with evaluation_in(tmp_path / "a.db", models, InProcess(models)) as (evaluation, store):
        await evaluation.policy()
        await evaluation.search()
        undisturbed = await stored(store)
    for method, whole in undisturbed.items():
        pools = BadWorker(models, "What is 1 + 2?", failures=1)
        path = tmp_path / f"{method}.db"
        async with evaluation_in(path, models, pools) as (evaluation, store):
            await (evaluation.policy() if method == "policy" else evaluation.search())
            found = (await stored(store))[method]
        assert (found.pass_at_1, found.correct) == (whole.pass_at_1, whole.correct)
        assert (found.settings["measured"], found.problems) == (3, 3)


async def test_what_cannot_be_measured_is_named_and_no_figure_is_stored_until_it_is(
    tmp_path, models
):
    async with evaluation_in(tmp_path / "a.db", models, InProcess(models)) as (evaluation, store):
        await evaluation.policy()
        await evaluation.search()
        whole = await stored(store)
    pools = BadWorker(models, "What is 2 + 2?")
    async with evaluation_in(tmp_path / "b.db", models, pools) as (evaluation, store):
        said = r"1 of 3 problems could not be measured, among them What is 2 \+ 2\?: .*a bad worker"
        with pytest.raises(Unmeasured, match="round 1, policy: " + said):
            await evaluation.policy()
        with pytest.raises(Unmeasured, match="round 1, search: " + said):
            await evaluation.search()
        assert await stored(store) == {}
    async with evaluation_in(tmp_path / "b.db", models, InProcess(models)) as (evaluation, store):
        await evaluation.policy()
        await evaluation.search()
        resumed = await stored(store)
    assert {m: e.pass_at_1 for m, e in resumed.items()} == {
        m: e.pass_at_1 for m, e in whole.items()
    }
