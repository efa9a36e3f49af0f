"""A whole evaluation while some of the machinery fails."""

from contextlib import asynccontextmanager

import pytest

from rstar_async.config import EvaluationConfig, Recipe, SearchConfig
from rstar_async.errors import JobFailed
from rstar_async.evaluation.attempts import Attempts
from rstar_async.evaluation.display import caption, schedules_caption
from rstar_async.evaluation.evaluate import EvaluationRun
from rstar_async.evaluation.sampling import Greedy
from rstar_async.evaluation.schedule_comparison import ScheduleComparison
from rstar_async.evaluation.schedules import Schedule
from rstar_async.evaluation.settings import EvaluationSettings
from rstar_async.evaluation.solve import solve
from rstar_async.evaluation.strategies import TREE
from rstar_async.evaluation.unmeasured import Unmeasured
from rstar_async.search.models import ActiveModels
from rstar_async.text.encoding import Encoder
from storage import queries
from storage.records import Problem, Round, Run
from storage.store import open_store
from tests.search.world import POLICY, InProcess, models_in, runner_of

QUESTIONS = {"What is 1 + 2?": "3", "What is 2 + 2?": "4", "What is 2 + 3?": "5"}
PROBLEMS = [Problem(q, "run", q, answer, split="heldout") for q, answer in QUESTIONS.items()]
RECIPE = Recipe(
    search=SearchConfig(max_tokens=64, in_flight=2),
    evaluation=EvaluationConfig(rollouts=2, candidates=2, trajectories=(1, 2)),
)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return models_in(tmp_path_factory.mktemp("models"))


class BadWorker(InProcess):
    """Fails what `fails` says of a job's request and of how many were asked before."""

    def __init__(self, models, fails) -> None:
        super().__init__(models)
        self._fails = fails
        self._encoder = Encoder.load(models / POLICY, "tagged")

    async def request(self, payload, reply, **options):
        text = self._encoder.decode(getattr(payload, "prompt", []))
        if self._fails(text, getattr(payload, "seed", 0)):
            raise JobFailed("error", "a bad worker")
        return await super().request(payload, reply, **options)


def about_two_and_two(text: str, seed: int) -> bool:
    return "What is 2 + 2?" in text


@asynccontextmanager
async def attempts_in(path, models, pools):
    active = ActiveModels(POLICY, None, Encoder.load(models / POLICY, "tagged"))
    settings = EvaluationSettings.of(RECIPE, "run", 1, active)
    async with open_store(f"sqlite:///{path}") as store:
        await store.commit(Run("run", {}, 1, "test"), Round("run", 1, "closed", POLICY), *PROBLEMS)
        runner = runner_of(pools, store)
        yield Attempts(settings, runner, store), runner, store


async def evaluated(path, models, pools):
    async with attempts_in(path, models, pools) as (attempts, runner, store):
        run = EvaluationRun(attempts, [Greedy()], runner, store)
        results = await run.run("heldout", PROBLEMS)
        return results, await store.read(queries.evaluations_of, "run")


async def test_figures_are_over_what_was_measured_and_are_stored_when_nothing_is_missing(
    tmp_path, models
):
    whole, stored_whole = await evaluated(tmp_path / "a.db", models, InProcess(models))
    assert (whole.measured, whole.problems, whole.failure) == (3, 3, "")
    assert "percent of 3 of 3 problems" in caption(whole)
    assert stored_whole
    assert all(one.settings["measured"] == one.problems == 3 for one in stored_whole)

    path = tmp_path / "b.db"
    partial, stored = await evaluated(path, models, BadWorker(models, about_two_and_two))
    assert stored == []
    assert (partial.measured, partial.problems) == (2, 3)
    assert "1 of 3 problems could not be measured" in partial.failure
    assert "a bad worker" in partial.failure
    assert caption(partial).startswith("NOT STORED. heldout: 1 of 3")
    assert "percent of 2 of 3 problems" in caption(partial)
    assert {row.evaluation_id for row in partial.rows} == {""}

    resumed, stored = await evaluated(path, models, InProcess(models))
    assert [(row.rule, row.accuracy) for row in resumed.rows] == [
        (row.rule, row.accuracy) for row in whole.rows
    ]
    assert {one.id for one in stored} == {one.id for one in stored_whole}


async def test_an_evaluation_of_which_nothing_could_be_measured_says_why(tmp_path, models):
    pools = BadWorker(models, lambda text, seed: True)
    with pytest.raises(Unmeasured, match=r"heldout: 3 of 3 problems .* a bad worker"):
        await evaluated(tmp_path / "s.db", models, pools)


async def test_schedules_are_compared_on_what_was_measured_under_all_of_them(tmp_path, models):
    pools = BadWorker(models, about_two_and_two)
    async with attempts_in(tmp_path / "s.db", models, pools) as (attempts, runner, store):

        def under(settings):
            return Attempts(settings, runner, store)

        comparison = ScheduleComparison(attempts.settings, under, runner, store)
        results = await comparison.run("heldout", PROBLEMS, [Schedule(1), Schedule(2)])
        assert await store.read(queries.evaluations_of, "run") == []
    assert (results.measured, results.problems) == (2, 3)
    assert "means over 2 of 3 problems" in schedules_caption(results)


async def test_a_question_is_answered_by_the_trees_that_could_be_grown(tmp_path, models):
    pools = InProcess(models)
    async with attempts_in(tmp_path / "s.db", models, pools) as (attempts, runner, store):
        await attempts.make(TREE, PROBLEMS[0], [1])
        pools.fail_at = pools.asked
        found = await solve(attempts, PROBLEMS[0], 2, runner, store)
        assert (found.trajectories, found.failed) == (1, 1)
        assert "no worker" in found.failure
        with pytest.raises(Unmeasured, match=r"no tree could be grown: .*no worker"):
            await solve(attempts, PROBLEMS[1], 2, runner, store)
