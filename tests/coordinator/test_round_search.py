from contextlib import asynccontextmanager

import pytest

from rstar_async.coordinator.round_search import RoundSearch
from rstar_async.errors import RstarError
from storage import queries
from storage.records import Problem, Round, Run
from storage.store import open_store
from tests.search.world import POLICY, InProcess, models_in, plan, runner_of

# The script adds up the numbers of a question, so the last one is never solved.
ANSWERS = {"What is 1 + 2?": "3", "What is 2 + 2?": "4", "What is 2 + 3?": "99"}
ROUND = Round("run", 1, "searching", POLICY)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return models_in(tmp_path_factory.mktemp("models"))


@asynccontextmanager
async def round_in(path, models, seeds=(1,), pools=None, **settings):
    problems = [Problem(q, "run", q, answer) for q, answer in ANSWERS.items()]
    async with open_store(f"sqlite:///{path}") as store:
        await store.commit(Run("run", {}, 1, "test"), ROUND)
        pools = pools or InProcess(models)
        plan_ = plan(models, rollouts=3, in_flight=2, **settings)
        yield RoundSearch(ROUND, seeds, plan_, store, runner_of(pools, store)), problems, store
        assert pools.asked or pools.fail_at == 0


async def searches(store):
    found = await store.read(queries.searches_of, "run", 1, "train")
    return sorted((s.problem_id, s.seed, s.status, s.solved) for s in found)


async def test_only_what_is_unsolved_gets_another_seed(tmp_path, models):
    async with round_in(tmp_path / "s.db", models, seeds=(1, 2, 3)) as (round_, problems, store):
        await round_.run(problems)
        assert await searches(store) == [
            ("What is 1 + 2?", 1, "finished", True),
            ("What is 2 + 2?", 1, "finished", True),
            ("What is 2 + 3?", 1, "finished", False),
            ("What is 2 + 3?", 2, "finished", False),
            ("What is 2 + 3?", 3, "finished", False),
        ]


async def test_searching_a_searched_round_again_asks_the_models_nothing(tmp_path, models):
    async with round_in(tmp_path / "s.db", models, seeds=(1, 2)) as (round_, problems, store):
        await round_.run(problems)
        done = await searches(store)
    async with open_store(f"sqlite:///{tmp_path}/s.db") as store:
        pools = InProcess(models)
        again = RoundSearch(ROUND, (1, 2), plan(models), store, runner_of(pools, store))
        await again.run(problems)
        assert await searches(store) == done
        assert pools.asked == 0


async def test_a_failed_search_is_tried_again(tmp_path, models):
    pools = InProcess(models)
    pools.fail_at = 3
    async with round_in(tmp_path / "s.db", models, pools=pools) as (round_, problems, store):
        with pytest.raises(RstarError, match="every search of round 1 failed: error: no worker"):
            await round_.run(problems)
        pools.fail_at = None
        await round_.run(problems)
        assert [status for _, _, status, _ in await searches(store)] == ["finished"] * 3


async def test_answers_are_counted_by_problem(tmp_path, models):
    async with round_in(tmp_path / "s.db", models, seeds=(1, 2)) as (round_, problems, store):
        await round_.run(problems)
        counts = {c.problem_id: c for c in await store.read(queries.answer_counts, "run", 1)}
        assert counts["What is 1 + 2?"].right > 0
        assert counts["What is 2 + 3?"].right == 0
        assert counts["What is 2 + 3?"].wrong > 0
