"""Leases and claims, with the time as an argument; what locks do is tested on PostgreSQL alone."""

from contextlib import contextmanager

import psycopg
import pytest
import sqlalchemy as sa
from msgspec import structs

from storage import engines, leases, queries
from storage.database import open_database
from storage.errors import LostLease
from storage.records import Problem, SearchProgress
from storage.store import open_store
from storage.tables import metadata
from tests.storage.examples import BASICS, RUN, tree

PROBLEMS = [Problem(f"p{number}", "trial", f"{number} + 1?", "") for number in range(2, 6)]
LEASE = 30.0


@pytest.fixture
def run(url):
    with open_database(url) as database:
        database.commit(*BASICS, *PROBLEMS)
        yield database


@contextmanager
def another(url):
    with open_database(url) as database:
        yield database


def join(database, name, now=0.0):
    return database.change(leases.join, RUN.id, name, LEASE, now)


def remove_expired(database, now=None):
    return [one.name for one in database.change(leases.remove_expired, RUN.id, now)]


def claim(database, number, *problems):
    return database.change(leases.claim, number, problems)


def test_a_problem_belongs_to_one_coordinator_at_a_time(run):
    a, b = join(run, "a"), join(run, "b")
    assert claim(run, a, "p1", "p2") == ["p1", "p2"]
    assert claim(run, b, "p2", "p3") == ["p3"]
    run.change(leases.release, a, ["p2"])
    assert claim(run, b, "p2", "p1") == ["p2"]


def test_claiming_again_gives_the_same(run):
    """As after a lost connection, when it is not known whether the first was stored."""
    a = join(run, "a")
    assert claim(run, a, "p1", "p2") == claim(run, a, "p1", "p2") == ["p1", "p2"]


def test_a_coordinator_that_renews_its_lease_keeps_its_claims(run):
    a, b = join(run, "a"), join(run, "b")
    claim(run, a, "p1")
    run.change(leases.renew, a, LEASE, now=20.0)
    run.change(leases.renew, b, LEASE, now=20.0)
    assert remove_expired(run, now=49.9) == []
    assert claim(run, b, "p1") == []


def test_the_claims_of_one_whose_lease_expired_are_free(run):
    a, b = join(run, "a"), join(run, "b", now=20.0)
    claim(run, a, "p1", "p2")
    assert remove_expired(run, now=30.0) == ["a"]
    assert claim(run, b, "p1", "p2") == ["p1", "p2"]


def test_who_is_removed_is_told_with_its_claims(run):
    a = join(run, "a")
    claim(run, a, "p1", "p2")
    assert run.change(leases.remove_expired, RUN.id, now=31.0) == [
        leases.Coordinator(a, "a", 2, -1.0, leads=True)
    ]


def test_an_expired_lease_may_be_renewed_until_others_have_noticed(run):
    """A server that was down for an hour makes no coordinator lose its work."""
    a = join(run, "a")
    run.change(leases.renew, a, LEASE, now=3600.0)
    assert remove_expired(run, now=3601.0) == []


def test_one_that_was_removed_can_neither_renew_nor_claim_nor_commit(run):
    a = join(run, "a")
    remove_expired(run, now=31.0)
    for action in (
        lambda: run.change(leases.renew, a, LEASE, now=31.0),
        lambda: claim(run, a, "p1"),
        lambda: run.change(leases.check, a),
    ):
        with pytest.raises(LostLease, match=f"number {a} was silent"):
            action()


def test_a_paused_coordinator_cannot_write_over_the_new_owner(run, url):
    """It wakes up with an expansion that it has yet to store."""
    with another(url) as paused:
        a = join(paused, "a")
        paused.commit_as(a)
        claim(paused, a, "p1")
        paused.commit(*tree())
        late = SearchProgress("s1", "running", rollouts=1, expansions=3)
        b = join(run, "b", now=20.0)
        remove_expired(run, now=31.0)
        assert claim(run, b, "p1") == ["p1"]
        run.commit_as(b)
        run.commit(SearchProgress("s1", "finished", rollouts=9, expansions=9))
        with pytest.raises(LostLease):
            paused.commit(late)
        with pytest.raises(LostLease):
            paused.write([[late], [late]])
    search = run.read(queries.search_by_id, "s1")
    assert (search.status, search.expansions) == ("finished", 9)


def test_one_that_starts_again_under_its_name_takes_the_place_of_its_former_self(run):
    a, b = join(run, "a"), join(run, "b")
    claim(run, a, "p1")
    again = join(run, "a", now=1.0)
    assert again > b
    assert claim(run, again, "p1") == ["p1"]
    with pytest.raises(LostLease):
        run.change(leases.check, a)


def test_a_number_is_never_given_again(run):
    """Else it would unlock what a former holder of the number still wants to write."""
    a = join(run, "a")
    run.change(leases.leave, a)
    assert join(run, "a") > a


def test_the_first_leads_until_it_is_gone(run):
    a, b = join(run, "a"), join(run, "b", now=20.0)
    assert run.read(leases.leader, RUN.id) == a
    remove_expired(run, now=31.0)
    assert run.read(leases.leader, RUN.id) == b
    assert join(run, "a", now=31.0) != run.read(leases.leader, RUN.id)


def test_one_that_leaves_gives_up_its_claims(run):
    a, b = join(run, "a"), join(run, "b")
    claim(run, a, "p1")
    run.change(leases.leave, a)
    assert claim(run, b, "p1") == ["p1"]
    assert run.read(leases.leader, RUN.id) == b


def test_coordinators_are_listed_with_their_claims(run):
    a, b = join(run, "a"), join(run, "b", now=10.0)
    claim(run, b, "p1", "p3")
    assert run.read(leases.coordinators_of, RUN.id, now=35.0) == [
        leases.Coordinator(a, "a", 0, -5.0, leads=True),
        leases.Coordinator(b, "b", 2, 5.0, leads=False),
    ]


def test_other_runs_have_coordinators_of_their_own(run):
    run.commit(structs.replace(RUN, id="other"))
    other = run.change(leases.join, "other", "a", LEASE, 0.0)
    mine = join(run, "a")
    assert run.read(leases.leader, RUN.id) == mine
    assert remove_expired(run, now=99.0) == ["a"]
    run.change(leases.check, other)


async def test_the_store_of_a_removed_coordinator_ends(url):
    with pytest.RaisesGroup(LostLease):
        async with open_store(url) as store:
            await store.commit(*BASICS)
            number = await store.change(leases.join, RUN.id, "a", LEASE, 0.0)
            store.commit_as(number)
            await store.commit(*tree())
            await store.change(leases.remove_expired, RUN.id, now=31.0)
            await store.commit(SearchProgress("s1", "finished", rollouts=1, expansions=2))
    with open_database(url) as database:
        assert database.read(queries.search_by_id, "s1").status == "waiting"


# PostgreSQL: two sessions at once


@pytest.fixture
def server(postgres_store):
    with psycopg.connect(postgres_store, autocommit=True) as connection:
        connection.execute(f"TRUNCATE {', '.join(metadata.tables)}".encode())
    return postgres_store


@contextmanager
def session(server):
    engine = engines.writer(engines.parse(server))
    with engine.connect() as connection:
        connection.execute(sa.text("SET lock_timeout = '200ms'"))
        connection.commit()
        yield connection
    engine.dispose()


def test_the_clock_is_that_of_the_database(server):
    with open_database(server) as database:
        database.commit(*BASICS)
        number = database.change(leases.join, RUN.id, "a", LEASE)
        (found,) = database.read(leases.coordinators_of, RUN.id)
        assert 0 < found.seconds_left <= LEASE
        assert remove_expired(database) == []
        database.change(leases.renew, number, -1.0)
        assert remove_expired(database) == ["a"]


def test_none_is_removed_in_the_middle_of_a_commit(server):
    """Its problems are read by others only after that commit."""
    with open_database(server) as database, session(server) as writing, session(server) as other:
        database.commit(*BASICS)
        number = join(database, "a")
        leases.check(writing, number)
        with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
            leases.remove_expired(other, RUN.id, now=99.0)
        other.rollback()
        writing.commit()
        assert [one.name for one in leases.remove_expired(other, RUN.id, now=99.0)] == ["a"]
        other.commit()


def test_renewing_does_not_wait_for_commits(server):
    with open_database(server) as database, session(server) as writing, session(server) as other:
        database.commit(*BASICS)
        number = join(database, "a")
        leases.check(writing, number)
        leases.renew(other, number, LEASE)
        other.commit()
        writing.rollback()


def test_a_commit_waits_for_a_removal_that_has_begun_and_is_refused(server):
    with open_database(server) as database, session(server) as removing, session(server) as late:
        database.commit(*BASICS)
        number = join(database, "a")
        leases.remove_expired(removing, RUN.id, now=99.0)
        with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
            leases.check(late, number)
        late.rollback()
        removing.commit()
        with pytest.raises(LostLease):
            leases.check(late, number)


def test_a_renewal_that_is_first_prevents_the_removal(server):
    """Removal reads the lease again once the renewal is stored."""
    with open_database(server) as database, session(server) as renewing, session(server) as other:
        database.commit(*BASICS)
        number = join(database, "a")
        leases.renew(renewing, number, LEASE, now=90.0)
        with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
            leases.remove_expired(other, RUN.id, now=99.0)
        other.rollback()
        renewing.commit()
        assert leases.remove_expired(other, RUN.id, now=99.0) == []


def test_two_that_claim_the_same_at_once_get_each_problem_once(server):
    with open_database(server) as database, session(server) as one, session(server) as other:
        database.commit(*BASICS, *PROBLEMS)
        a, b = join(database, "a"), join(database, "b")
        assert leases.claim(one, a, ["p3", "p2"]) == ["p2", "p3"]
        with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
            leases.claim(other, b, ["p2", "p4"])
        other.rollback()
        one.commit()
        assert leases.claim(other, b, ["p2", "p4"]) == ["p4"]
        other.commit()
