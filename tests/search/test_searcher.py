import random

import pytest
import trio
from msgspec import structs

from benchmarks.chaos.tree_diff import COMPARED
from rstar_async.config import BoundsConfig
from rstar_async.search.persistence import tree_from_nodes
from rstar_async.search.tree import Selection
from storage import queries
from storage.store import Store
from tests.search.world import InProcess, models_in, plan, runner_of, store_with


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return models_in(tmp_path_factory.mktemp("models"))


def jitter(seed: int):
    dice = random.Random(seed)
    return lambda: dice.choice((0.0, 0.0, 0.002, 0.005))


async def facts(store: Store, search_id: str = "s"):
    """The columns of a stored tree that must not depend on when and where it was grown."""
    nodes = await store.read(queries.nodes_of, search_id)
    return [tuple(getattr(node, name) for name in COMPARED) for node in nodes]


async def grown(path, models, delay=lambda: 0.0, **settings):
    async with store_with(path) as (store, search, problem):
        pools = InProcess(models, delay)
        await runner_of(pools, store).search(search, problem, plan(models, **settings))
        return await facts(store), await store.read(queries.search_by_id, "s"), pools


async def test_the_names_of_run_and_search_do_not_change_the_samples(tmp_path, models):
    first, _, _ = await grown(tmp_path / "a", models)
    async with store_with(tmp_path / "b", "renamed") as (store, search, problem):
        renamed = runner_of(InProcess(models), store)
        await renamed.search(search, structs.replace(problem, run_id="other"), plan(models))
        assert await facts(store, "renamed") == first
    async with store_with(tmp_path / "c", seed=2) as (store, search, problem):
        await runner_of(InProcess(models), store).search(search, problem, plan(models))
        assert await facts(store) != first


class KilledAfter:
    """A store that takes `commits` commits and then raises, as if the process had been killed."""

    def __init__(self, store: Store, commits: int) -> None:
        self._store = store
        self._left = commits

    async def commit(self, *records):
        if not self._left:
            raise KeyboardInterrupt
        self._left -= 1
        await self._store.commit(*records)

    def __getattr__(self, name):
        return getattr(self._store, name)


async def grown_with_kills(path, models, dice, **settings):
    while True:
        async with store_with(path) as (store, search, problem):
            if search.status == "finished":
                return await facts(store)
            killed = KilledAfter(store, dice.randint(2, 12))
            pools = InProcess(models, jitter(dice.randint(0, 999)))
            try:
                await runner_of(pools, killed).search(search, problem, plan(models, **settings))
            except BaseExceptionGroup as group:
                assert group.subgroup(KeyboardInterrupt)  # noqa: PT017
            except KeyboardInterrupt:
                pass


@pytest.mark.parametrize("ppm", [False, True])
@pytest.mark.parametrize("parallel", [1, 2, 5])
async def test_a_tree_grows_the_same_whichever_reply_comes_first(tmp_path, models, parallel, ppm):
    settings = {"parallel": parallel, "ppm": ppm}
    calm, search, _ = await grown(tmp_path / "calm.db", models, **settings)
    jittered, _, _ = await grown(tmp_path / "jittered.db", models, jitter(7), **settings)
    assert calm == jittered
    assert (search.rollouts, search.ended) == (6, "rollouts")
    assert len(calm) > 20


@pytest.mark.parametrize("parallel", [1, 3])
async def test_a_search_that_is_killed_and_resumed_grows_the_tree_of_an_undisturbed_one(
    tmp_path, models, parallel
):
    expected, _, _ = await grown(tmp_path / "calm.db", models, parallel=parallel)
    for seed in range(3):
        found = await grown_with_kills(
            tmp_path / f"{seed}.db", models, random.Random(seed), parallel=parallel
        )
        assert found == expected


async def test_as_many_nodes_are_expanded_at_once_as_parallel_allows(tmp_path, models):
    for parallel, at_least in ((1, 1), (4, 3)):
        path = tmp_path / f"{parallel}.db"
        _, _, pools = await grown(path, models, lambda: 0.01, parallel=parallel)
        assert at_least <= pools.most_at_once <= parallel


@pytest.mark.parametrize("parallel", [1, 4])
async def test_virtual_losses_leave_no_trace_in_the_store(tmp_path, models, parallel):
    """Stored visits and values add up without any virtual loss."""
    async with store_with(tmp_path / "s.db") as (store, search, problem):
        pools = InProcess(models, jitter(3))
        tree = await runner_of(pools, store).search(
            search, problem, plan(models, parallel=parallel)
        )
        stored = tree_from_nodes(await store.read(queries.nodes_of, "s"), Selection())
    values = [a.candidate.value for a in tree.answers() if a.candidate.value is not None]
    assert tree.root.virtual_losses == 0
    assert tree.root.value_sum == sum(values) == stored.root.value_sum
    assert tree.root.visits == len(values) == stored.root.visits


async def test_a_search_without_workers_fails_and_goes_on_when_they_are_back(tmp_path, models):
    expected, _, _ = await grown(tmp_path / "calm.db", models, parallel=2)
    async with store_with(tmp_path / "s.db") as (store, search, problem):
        pools = InProcess(models)
        pools.fail_at = 30
        searches = runner_of(pools, store)
        assert await searches.search(search, problem, plan(models, parallel=2)) is None
        failed = await store.read(queries.search_by_id, "s")
        assert (failed.status, failed.failure) == ("failed", "error: no worker")
        pools.fail_at = None
        await searches.search(failed, problem, plan(models, parallel=2))
        assert await facts(store) == expected


@pytest.mark.parametrize(
    ("bounds", "ended"),
    [
        (BoundsConfig(nodes=15), "nodes"),
        (BoundsConfig(tokens=300), "tokens"),
        (BoundsConfig(cpu_seconds=2.0), "cpu_seconds"),
        (BoundsConfig(confidence=0.5), "converged"),
        (BoundsConfig(), "exhausted"),
    ],
)
async def test_a_search_says_what_ended_it(tmp_path, models, bounds, ended):
    _, search, _ = await grown(tmp_path / "s.db", models, bounds=bounds, rollouts=40)
    assert (search.status, search.ended) == ("finished", ended)


async def test_a_search_that_is_out_of_time_keeps_what_it_has(tmp_path, models):
    with trio.fail_after(20):
        tree, search, _ = await grown(
            tmp_path / "s.db", models, lambda: 0.05, bounds=BoundsConfig(seconds=0.5), rollouts=1000
        )
    assert (search.status, search.ended, search.cursor) == ("finished", "seconds", "")
    assert len(tree) > 1


async def test_a_bound_counts_what_was_spent_before_a_restart(tmp_path, models):
    bounds = BoundsConfig(tokens=300)
    expected, _, _ = await grown(tmp_path / "calm.db", models, bounds=bounds, rollouts=40)
    found = await grown_with_kills(
        tmp_path / "s.db", models, random.Random(1), bounds=bounds, rollouts=40
    )
    assert found == expected


async def test_an_unsolved_search_goes_on_to_the_next_total(tmp_path, models):
    """The scripted policy never answers 99, so this problem stays unsolved."""
    for totals, rollouts in (((), 2), ((3,), 3), ((3, 5), 5)):
        path = tmp_path / f"{rollouts}.db"
        async with store_with(path, answer="99") as (store, search, problem):
            own = plan(models, rollouts=2, unsolved_rollouts=totals)
            await runner_of(InProcess(models), store).search(search, problem, own)
            found = await store.read(queries.search_by_id, "s")
        assert found.rollouts == rollouts
        assert not found.solved
