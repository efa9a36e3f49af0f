"""The time of day may be set while a search goes on: it must change nothing but stored times."""

import itertools
import time
from collections.abc import Callable

import pytest

from rstar_async.config import BoundsConfig
from storage import queries
from storage.maintenance.integrity import check
from tests.search.world import InProcess, models_in, plan, runner_of, store_with

HOUR, DAY = 3600.0, 86400.0
BOUND = BoundsConfig(seconds=600.0)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return models_in(tmp_path_factory.mktemp("models"))


def jumping(*jumps: float) -> Callable[[], float]:
    """A clock that is set by the next of `jumps` each time it is read."""
    offsets = itertools.accumulate(itertools.cycle(jumps))
    return lambda: time.time() + next(offsets)


async def searched(path, models, now: Callable[[], float]):
    async with store_with(path) as (store, search, problem):
        started = time.monotonic()
        await runner_of(InProcess(models), store, now).search(
            search, problem, plan(models, bounds=BOUND)
        )
        took = time.monotonic() - started
        stored = await store.read(queries.search_by_id, "s")
        assert stored is not None
        assert 0.0 < stored.seconds <= took
        broken = [finding for finding in await store.read(check) if finding.offenders]
        nodes = await store.read(queries.nodes_of, "s")
        return stored, [(node.path, node.text) for node in nodes], broken


@pytest.mark.parametrize(
    "jumps", [(HOUR, 0.0), (-HOUR, 0.0), (-DAY, 0.0), (HOUR, -DAY, 3 * HOUR)], ids=str
)
async def test_a_clock_that_is_set_ends_no_search_and_breaks_no_store(tmp_path, models, jumps):
    calm, calm_nodes, broken_before = await searched(tmp_path / "calm.db", models, time.time)
    set_, nodes, broken = await searched(tmp_path / "set.db", models, jumping(*jumps))
    assert (set_.ended, set_.rollouts) == (calm.ended, calm.rollouts)
    assert nodes == calm_nodes
    assert broken == broken_before


async def test_a_search_that_goes_on_after_a_jump_adds_up_what_it_really_took(tmp_path, models):
    pools = InProcess(models)
    pools.fail_at = 12
    async with store_with(tmp_path / "s.db") as (store, search, problem):
        wanted = plan(models, bounds=BOUND)
        await runner_of(pools, store, lambda: time.time() + HOUR).search(search, problem, wanted)
        failed = await store.read(queries.search_by_id, "s")
        assert failed is not None
        assert failed.status == "failed"
        runner = runner_of(InProcess(models), store, lambda: time.time() - DAY)
        await runner.search(failed, problem, wanted)
        done = await store.read(queries.search_by_id, "s")
    assert done is not None
    assert done.status == "finished"
    assert failed.seconds < done.seconds < 60.0
