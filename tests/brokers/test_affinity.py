"""Which worker gets a job of a tree when all of them are full: prefix caches depend on it."""

import heapq
import random
from collections import defaultdict

import pytest

from brokers.scheduler import PASSES_PER_WORKER
from rstar_async.wire.messages import Done, Got, Submit, job_id
from tests.brokers.harness import A, B, Harness

WORKERS = (b"w1", b"w2")


def own_trees(pool: Harness) -> dict[bytes, str]:
    """A tree for each worker that its jobs go to while there is room."""
    found: dict[bytes, str] = {}
    number = 0
    while len(found) < len(WORKERS):
        before = {peer: len(pool.assigned(peer)) for peer in WORKERS}
        job, tree = job_id("probe", number), f"tree {number}"
        pool.from_client(Submit(job, affinity=tree))
        (peer,) = [peer for peer in WORKERS if len(pool.assigned(peer)) > before[peer]]
        finish(pool, peer, job)
        found.setdefault(peer, tree)
        number += 1
    return found


def finish(pool: Harness, peer: bytes, job: bytes) -> None:
    pool.from_worker(peer, Done(job, 1))
    pool.from_client(Got(job))


def full_pool(**config: float) -> tuple[Harness, dict[bytes, str]]:
    """Both workers run one job each, which is named after them."""
    pool = Harness(**config)
    pool.connect(*WORKERS)
    trees = own_trees(pool)
    for peer in WORKERS:
        pool.from_client(Submit(job_id(peer), affinity=trees[peer]))
        assert pool.assigned(peer)[-1] == job_id(peer)
    return pool, trees


def test_a_slot_that_gets_free_goes_to_the_oldest_job_of_that_worker():
    pool, trees = full_pool()
    for number, peer in enumerate((b"w1", b"w1", b"w2", b"w2")):
        pool.from_client(Submit(job_id(number), affinity=trees[peer]))
    finish(pool, b"w2", job_id(b"w2"))
    assert pool.assigned(b"w2")[-1] == job_id(2)
    finish(pool, b"w1", job_id(b"w1"))
    assert pool.assigned(b"w1")[-1] == job_id(0)


def test_without_a_job_of_its_own_it_takes_the_oldest():
    pool, trees = full_pool()
    for number in range(2):
        pool.from_client(Submit(job_id(number), affinity=trees[b"w1"]))
    finish(pool, b"w2", job_id(b"w2"))
    assert pool.assigned(b"w2")[-1] == job_id(0)


def test_a_job_without_affinity_is_not_passed_over():
    pool, trees = full_pool()
    pool.from_client(Submit(job_id(0)))
    pool.from_client(Submit(job_id(1), affinity=trees[b"w2"]))
    finish(pool, b"w2", job_id(b"w2"))
    assert pool.assigned(b"w2")[-1] == job_id(0)


def test_a_job_of_higher_priority_is_not_passed_over():
    pool, trees = full_pool()
    pool.from_client(Submit(job_id(0), affinity=trees[b"w1"], priority=1))
    pool.from_client(Submit(job_id(1), affinity=trees[b"w2"]))
    finish(pool, b"w2", job_id(b"w2"))
    assert pool.assigned(b"w2")[-1] == job_id(0)


def test_a_job_is_passed_over_a_limited_number_of_times():
    pool, trees = full_pool()
    pool.from_client(Submit(job_id("old"), affinity=trees[b"w1"]))
    last = job_id(b"w2")
    for number in range(100):
        pool.from_client(Submit(job_id(number), affinity=trees[b"w2"]))
        finish(pool, b"w2", last)
        last = pool.assigned(b"w2")[-1]
        if last == job_id("old"):
            break
    assert number == PASSES_PER_WORKER * len(WORKERS)


@pytest.mark.parametrize("follows", [False, True])
def test_a_tree_may_stay_with_the_worker_that_had_its_last_job(follows):
    pool, trees = full_pool(affinity_follows=follows)
    pool.from_client(Submit(A, affinity=trees[b"w1"]))
    finish(pool, b"w2", job_id(b"w2"))
    assert pool.assigned(b"w2")[-1] == A  # its own worker is full
    finish(pool, b"w1", job_id(b"w1"))
    finish(pool, b"w2", A)
    pool.from_client(Submit(B, affinity=trees[b"w1"]))
    assert pool.assigned(b"w2" if follows else b"w1")[-1] == B


def test_a_tree_whose_last_worker_has_left_goes_by_its_hash_again():
    pool, trees = full_pool(affinity_follows=True)
    pool.from_client(Submit(A, affinity=trees[b"w1"]))
    finish(pool, b"w2", job_id(b"w2"))
    pool.kill_worker(b"w2")
    finish(pool, b"w1", job_id(b"w1"))
    assert pool.assigned(b"w1")[-1] == A


def test_what_a_queue_keeps_of_a_job_that_is_over_is_small():
    pool, trees = full_pool()
    pool.from_client(Submit(A, affinity=trees[b"w1"]), b"request")
    job = pool.dispatcher._state.jobs[A]
    finish(pool, b"w2", job_id(b"w2"))
    pool.from_worker(b"w2", Done(A, 1), b"result")
    assert (job.body, job.result) == (b"request", b"result")
    pool.from_client(Got(A))
    assert (job.body, job.result) == (b"", b"")


def test_jobs_that_wait_for_a_worker_that_leaves_go_to_the_others():
    pool, trees = full_pool()
    for number in range(3):
        pool.from_client(Submit(job_id(number), affinity=trees[b"w1"]))
    finish(pool, b"w2", job_id(b"w2"))
    pool.kill_worker(b"w1")
    done = [job_id(0)]
    for _ in range(3):
        finish(pool, b"w2", done[-1])
        done.append(pool.assigned(b"w2")[-1])
    assert job_id(1) in done
    assert job_id(2) in done


@pytest.mark.parametrize("follows", [False, True])
def test_nearly_all_jobs_of_a_tree_go_to_one_worker_while_others_wait(follows):
    """Four workers of eight slots each, 64 trees with one job at a time, of any length."""
    draw, pool = random.Random(1), Harness(affinity_follows=follows)
    pool.connect(*(workers := [f"worker {number}".encode() for number in range(4)]), capacity=8)
    tree_of: dict[bytes, int] = {}
    places: defaultdict[int, list[bytes]] = defaultdict(list)
    running: list[tuple[float, bytes, bytes]] = []
    seen = dict.fromkeys(workers, 0)
    clock = 0.0

    def ask(tree: int) -> None:
        job = job_id(tree, len(places[tree]), clock)
        tree_of[job] = tree
        pool.from_client(Submit(job, affinity=f"tree {tree}"))

    def start_assigned() -> None:
        for peer in workers:
            for job in pool.assigned(peer)[seen[peer] :]:
                seen[peer] += 1
                places[tree_of[job]].append(peer)
                heapq.heappush(running, (clock + draw.expovariate(1.0), job, peer))

    for tree in range(64):
        ask(tree)
    for _ in range(3000):
        start_assigned()
        clock, job, peer = heapq.heappop(running)
        finish(pool, peer, job)
        ask(tree_of[job])
    at_home = sum(max(map(seen_at.count, workers)) for seen_at in places.values())
    assert at_home / sum(map(len, places.values())) > 0.9
