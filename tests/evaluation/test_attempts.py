from contextlib import asynccontextmanager

import pytest

from rstar_async.config import Recipe, SearchConfig
from rstar_async.errors import JobFailed
from rstar_async.evaluation.attempts import Attempts, still_missing, tokens_of
from rstar_async.evaluation.sampling import Sampling
from rstar_async.evaluation.settings import EvaluationSettings
from rstar_async.evaluation.strategies import TREE
from rstar_async.search.models import ActiveModels
from rstar_async.text.encoding import Encoder
from storage import queries
from storage.queries import Attempt
from tests.evaluation.attempts import attempt
from tests.search.world import POLICY, InProcess, models_in, runner_of, store_with


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return models_in(tmp_path_factory.mktemp("models"))


class Flaky(InProcess):
    """Its fifth request fails, and no other."""

    failures = 0

    async def request(self, payload, reply, **options):
        if self.asked == 4 and not self.failures:
            self.failures += 1
            raise JobFailed("error", "a bad worker")
        return await super().request(payload, reply, **options)


def found_by(made: Attempt) -> list[tuple[str, str]]:
    return [(answer.path, answer.answer) for answer in made.answers]


@asynccontextmanager
async def attempts_in(path, models, pools):
    """Attempts, a problem and the store; no search has begun."""
    recipe = Recipe(search=SearchConfig(max_tokens=64, in_flight=2))
    active = ActiveModels(POLICY, None, Encoder.load(models / POLICY, "tagged"))
    settings = EvaluationSettings.of(recipe, "run", 1, active)
    async with store_with(path) as (store, _, problem):
        yield Attempts(settings, runner_of(pools, store), store), problem, store


async def test_an_attempt_that_is_stored_is_not_made_again(tmp_path, models):
    pools = InProcess(models)
    async with attempts_in(tmp_path / "s.db", models, pools) as (attempts, problem, _):
        made = await attempts.make(TREE, problem, [2, 1])
        assert [one.search.status for one in made] == ["finished"] * 2
        assert attempts.new_tokens == tokens_of(made) > 0
        asked = pools.asked
        assert await attempts.make(TREE, problem, [1, 2]) == made
    assert pools.asked == asked


async def test_attempts_are_made_until_the_budget_is_spent(tmp_path, models):
    async with attempts_in(tmp_path / "s.db", models, InProcess(models)) as (attempts, problem, _):
        budget = 2 * tokens_of(await attempts.make(Sampling(8), problem, [1])) + 1
        made = await attempts.make_until_spent(Sampling(8), problem, budget)
        assert tokens_of(made) >= budget
        assert all(one.width == 8 for one in made)


@pytest.mark.parametrize("strategy", [TREE, Sampling(8)])
async def test_an_attempt_whose_jobs_failed_is_made_again(tmp_path, models, strategy):
    async with attempts_in(tmp_path / "a.db", models, InProcess(models)) as (attempts, problem, _):
        (undisturbed,) = await attempts.make(strategy, problem, [1])
    pools = Flaky(models)
    async with attempts_in(tmp_path / "b.db", models, pools) as (attempts, problem, _):
        (made,) = await attempts.make(strategy, problem, [1])
    assert pools.failures == 1
    assert made.search.status == "finished"
    assert made.search.failure == ""
    assert found_by(made) == found_by(undisturbed)
    assert made.new_tokens == undisturbed.new_tokens


@pytest.mark.parametrize("strategy", [TREE, Sampling(8)])
async def test_a_failed_attempt_that_is_stored_is_made_again(tmp_path, models, strategy):
    pools = InProcess(models)
    pools.fail_at = 1
    async with attempts_in(tmp_path / "s.db", models, pools) as (attempts, problem, _):
        (failed,) = await attempts.make(strategy, problem, [1])
        assert failed.search.status == "failed"
        pools.fail_at = None
        (made,) = await attempts.make(strategy, problem, [1])
    assert made.search.status == "finished"


@pytest.mark.parametrize("strategy", [TREE, Sampling(8)])
async def test_an_attempt_whose_jobs_fail_always_is_failed_and_says_why(tmp_path, models, strategy):
    pools = InProcess(models)
    pools.fail_at = 1
    async with attempts_in(tmp_path / "s.db", models, pools) as (attempts, problem, store):
        (made,) = await attempts.make(strategy, problem, [1])
        assert made.search.status == "failed"
        assert attempts.new_tokens == 0
        stored = await store.read(queries.search_by_id, made.search.id)
    assert stored is not None
    assert "no worker" in stored.failure


def test_the_number_of_attempts_still_missing_fits_the_budget():
    assert still_missing([attempt(1, tokens=100)], 450) == 4
    assert still_missing([attempt(1, tokens=100), attempt(2, tokens=400)], 450) == 0
    assert still_missing([attempt(1, tokens=0)], 450) == 0
