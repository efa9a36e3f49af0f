"""Do jobs find their tree's prefix in a worker's cache, where workers are full and jobs wait?

The broker's own scheduler, with workers that only take time: trees of eight steps, each one job
after another with a pause between them, lengths and pauses drawn. A worker remembers how much of a
tree it has seen; the share is what it had of what a perfect cache would have had. Trees differ in
number, workers in number and slots. Nothing is random but for a seed, and no clock is read.
"""

import heapq
import random
from dataclasses import dataclass, field
from itertools import count

from benchmarks.report import open_report
from brokers.scheduler import Scheduler
from brokers.state import Job, JobState, Worker
from rstar_async.wire.messages import Submit, job_id

STEPS = 8
PAUSE = 0.3  # of the time that a job takes, on average
JOBS, SHORT_JOBS = 20_000, 4000
SHARE = 0.9
# Workers, slots of each, trees at once. In the last one hardly a job waits.
FULL = ((2, 16, 48), (4, 4, 48), (8, 32, 512))
HARDLY_FULL = (4, 8, 40)


@dataclass
class Tree:
    """`seen` are the steps that each worker has of it."""

    name: str
    steps: int = 0
    seen: dict[bytes, int] = field(default_factory=dict)


class Simulation:
    """Trees that are searched one after another in so many places, by these workers."""

    def __init__(self, workers: int, slots: int, trees: int) -> None:
        self._draw = random.Random(1)
        self._scheduler = Scheduler(1, affinity_follows=True)
        for number in range(workers):
            session = f"worker {number}".encode()
            worker = Worker(session, session.decode(), session, slots, 0.0, 0.0)
            self._scheduler.add_worker(worker)
        self._numbers = count()
        self._trees: dict[bytes, Tree] = {}
        self._events: list[tuple[float, int, Job | None, Tree]] = []
        self.now = 0.0
        self.reachable = self.served = 0
        for _ in range(trees):
            self._ask(self._new_tree())

    def run(self, jobs: int) -> float:
        """The served share of what was reachable, over so many jobs."""
        for _ in range(jobs):
            self._assign()
            self._until_a_job_ends()
        return self.served / self.reachable

    def _assign(self) -> None:
        for job, worker in self._scheduler.assignments():
            worker.held[job.id] = 0
            job.state, job.worker = JobState.LEASED, worker
            tree = self._trees.pop(job.id)
            self.reachable += tree.steps
            self.served += tree.seen.get(worker.session, 0)
            tree.steps += 1
            tree.seen[worker.session] = tree.steps
            self._after(self._draw.expovariate(1.0), job, tree)

    def _until_a_job_ends(self) -> None:
        while True:
            self.now, _, job, tree = heapq.heappop(self._events)
            if job is None:
                self._ask(tree if tree.steps < STEPS else self._new_tree())
                self._assign()
                continue
            assert job.worker is not None
            job.worker.release(job.id)
            self._after(self._draw.expovariate(1 / PAUSE), None, tree)
            return

    def _ask(self, tree: Tree) -> None:
        number = next(self._numbers)
        job = Job(Submit(job_id(number), affinity=tree.name), b"", number, set())
        self._trees[job.id] = tree
        self._scheduler.push(job)

    def _after(self, seconds: float, job: Job | None, tree: Tree) -> None:
        heapq.heappush(self._events, (self.now + seconds, next(self._numbers), job, tree))

    def _new_tree(self) -> Tree:
        return Tree(f"tree {next(self._numbers)}")


def main(arguments: list[str] | None = None) -> int:
    """Simulate each, full workers first."""
    report = open_report(__doc__, arguments)
    jobs = SHORT_JOBS if report.short else JOBS
    for workers, slots, trees in (*FULL, HARDLY_FULL):
        share = Simulation(workers, slots, trees).run(jobs)
        report.row(workers=workers, slots=slots, trees=trees, jobs=jobs, served_share=share)
        if (workers, slots, trees) in FULL:
            name = f"served from caches, {workers} x {slots} slots, {trees} trees"
            report.claim(name, share, "share", ">=", SHARE)
    return report.close()


if __name__ == "__main__":
    raise SystemExit(main())
