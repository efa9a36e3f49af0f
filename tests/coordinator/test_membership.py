"""Coordinators that share a round: on PostgreSQL, with pools of their own in this process."""

from contextlib import asynccontextmanager

import pytest
import trio

from rstar_async.coordinator.membership import Alone, Member, open_membership
from rstar_async.coordinator.round_search import RoundSearch
from storage import leases, queries
from storage.database import open_database
from storage.errors import LostLease
from storage.records import Problem, Round, Run
from storage.store import open_store
from tests.search.world import POLICY, InProcess, models_in, plan, runner_of
from tests.storage.conftest import own_schema

ROUND = Round("run", 1, "searching", POLICY)
# The script adds up the numbers of a question, so those with the answer 99 are never solved.
PROBLEMS = [
    Problem(f"p{n}", "run", f"What is {n} + 2?", "99" if n % 4 == 0 else str(n + 2))
    for n in range(12)
]
SEEDS = (1, 2)
LEASE = 30.0


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return models_in(tmp_path_factory.mktemp("models"))


@pytest.fixture
def server():
    with own_schema() as url:
        yield url


@asynccontextmanager
async def store_at(location):
    async with open_store(location) as store:
        await store.commit(Run("run", {}, 1, "test"), ROUND)
        yield store


def round_search(store, models, pools, membership):
    plan_ = plan(models, rollouts=3, in_flight=2)
    return RoundSearch(ROUND, SEEDS, plan_, store, runner_of(pools, store), membership)


def forest(location):
    """What the searches of the round found, without times."""
    with open_database(location) as database:
        searches = database.read(queries.searches_of, "run", 1, "train")
        nodes = {s.id: database.read(queries.nodes_of, s.id) for s in searches}
        found = {s.id: (s.status, s.solved, s.rollouts, s.expansions, s.ended) for s in searches}
        trees = {
            name: [(n.path, n.expansion, n.text, n.visits, n.value_sum) for n in tree]
            for name, tree in nodes.items()
        }
    return found, trees


@pytest.fixture
async def undisturbed(models, tmp_path):
    """The forest of a coordinator that is alone, and how many requests it took."""
    pools = InProcess(models)
    async with store_at(f"sqlite:///{tmp_path}/alone.db") as store:
        await round_search(store, models, pools, Alone()).run(PROBLEMS)
    return forest(f"sqlite:///{tmp_path}/alone.db"), pools.asked


class Slow(InProcess):
    """Replies that take a moment, so that two coordinators search at once."""

    async def request(self, payload, reply, **options):
        await trio.sleep(0.002)
        return await super().request(payload, reply, **options)


async def test_two_coordinators_grow_the_trees_of_one_and_do_nothing_twice(
    models, server, undisturbed
):
    alone, asked = undisturbed
    pools = [Slow(models), Slow(models)]

    async def search(name, own):
        async with store_at(server) as store, open_membership(store, "run", name, LEASE) as member:
            await round_search(store, models, own, member).run(PROBLEMS)

    async with trio.open_nursery() as nursery:
        for name, own in zip(("a", "b"), pools, strict=True):
            nursery.start_soon(search, name, own)
    assert forest(server) == alone
    assert all(own.asked for own in pools)
    assert sum(own.asked for own in pools) == asked
    with open_database(server) as database:
        assert database.read(leases.coordinators_of, "run") == []


class Paused(InProcess):
    """Stops at a request, as if its process had, until it is woken up."""

    def __init__(self, models, stop_at):
        super().__init__(models)
        self._stop_at = stop_at
        self.stopped, self.woken = trio.Event(), trio.Event()

    async def request(self, payload, reply, **options):
        if self.asked >= self._stop_at:
            self.stopped.set()
            await self.woken.wait()
        return await super().request(payload, reply, **options)


async def test_the_problems_of_one_that_is_silent_are_taken_over_and_it_cannot_write_any_more(
    models, server, undisturbed
):
    alone, asked = undisturbed
    paused, other = Paused(models, stop_at=20), InProcess(models)
    ended = []

    async def search_until_paused():
        with pytest.raises(ExceptionGroup) as raised:  # noqa: PT012
            async with store_at(server) as store:
                number = await store.change(leases.join, "run", "a", LEASE, 0.0)  # long expired
                store.commit_as(number)
                member = Member(store, "run", number, LEASE)
                await round_search(store, models, paused, member).run(PROBLEMS)
        assert raised.value.subgroup(LostLease)
        ended.append("a")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(search_until_paused)
        await paused.stopped.wait()
        async with store_at(server) as store, open_membership(store, "run", "b", LEASE) as member:
            await round_search(store, models, other, member).run(PROBLEMS)
        assert forest(server) == alone
        paused.woken.set()
    assert ended == ["a"]
    assert forest(server) == alone
    assert 0 < other.asked < asked  # it went on from what was stored


async def test_a_round_is_over_only_when_others_have_searched_what_they_claimed(models, server):
    """They may die, and then it has to take over."""

    async def unfinished(store):
        searches = await store.read(queries.searches_of, "run", 1, "train")
        return {search.problem_id for search in searches if search.status != "finished"}

    async with store_at(server) as store:
        await store.commit(*PROBLEMS)
        first = await store.change(leases.join, "run", "a", LEASE)
        await store.change(leases.claim, first, ["p1"])
        async with open_membership(store, "run", "b", LEASE) as member, trio.open_nursery() as both:
            both.start_soon(round_search(store, models, InProcess(models), member).run, PROBLEMS)
            while await unfinished(store) != {"p1"}:  # noqa: ASYNC110
                await trio.sleep(0.1)
            await store.change(leases.leave, first)
        assert await unfinished(store) == set()


async def test_when_the_leader_leaves_the_next_one_leads(server):
    leading, may_leave = trio.Event(), trio.Event()

    async def lead():
        async with store_at(server) as store, open_membership(store, "run", "a", LEASE) as first:
            await first.wait_until_leading()
            leading.set()
            await may_leave.wait()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(lead)
        await leading.wait()
        async with store_at(server) as store, open_membership(store, "run", "b", 8.0) as second:
            assert not second.leads
            may_leave.set()
            await second.wait_until_leading()
