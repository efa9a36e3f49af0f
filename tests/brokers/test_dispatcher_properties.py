"""Whatever dies, breaks, repeats or is late: every job ends exactly once where it is waited for."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from brokers.state import State
from rstar_async.wire.messages import Submit, job_id
from tests.brokers.world import World

JOBS = [job_id("property", number) for number in range(12)]
pick = st.integers(0, 1000)


class Delivery(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.world = World()
        self.errors = 0
        for _ in range(2):
            self.world.add_client()

    @rule(who=pick, job=st.sampled_from(JOBS), priority=st.integers(0, 2))
    def submit(self, who, job, priority):
        group = f"group {job[0] % 3}"
        self.client(who).ask(Submit(job, group, group, priority))

    @rule(who=pick, which=pick)
    def cancel(self, who, which):
        client = self.client(who)
        if client.waiting:
            client.cancel(list(client.waiting)[which % len(client.waiting)])

    @rule(who=pick, number=st.integers(0, 2))
    def cancel_group(self, who, number):
        self.client(who).cancel_group(f"group {number}")

    @precondition(lambda self: len(self.world.workers) < 4)
    @rule(capacity=st.integers(1, 5))
    def worker_comes(self, capacity):
        self.world.add_worker(capacity)

    @precondition(lambda self: self.world.workers)
    @rule(who=pick)
    def worker_is_killed(self, who):
        self.world.kill(self.worker(who))

    @precondition(lambda self: self.world.workers)
    @rule(who=pick)
    def worker_drains(self, who):
        self.worker(who).capacity = 0

    @precondition(lambda self: self.world.workers)
    @rule(who=pick, which=pick, how=st.sampled_from(["done", "done", "done", "busy", "broken"]))
    def run_ends(self, who, which, how):
        worker = self.worker(who)
        if worker.runs:
            self.errors += how != "done"
            worker.end(list(worker.runs)[which % len(worker.runs)], how)

    @precondition(lambda self: self.world.workers)
    @rule(who=pick)
    def worker_forgets_a_run(self, who):
        worker = self.worker(who)
        if worker.runs:
            job, _ = worker.runs.popitem()
            worker.stopping.discard(job)

    @rule(who=pick)
    def connection_breaks(self, who):
        self.person(who).reconnect()

    @rule()
    def broker_restarts(self):
        self.world.restart_broker()

    @rule(who=pick)
    def message_is_repeated(self, who):
        person = self.person(who)
        if person.coming:
            message = person.coming[0]
            if type(message[0]).__name__ != "Assign":
                person.coming.appendleft(message)

    @rule(who=pick, count=st.integers(1, 5), inward=st.booleans())
    def messages_arrive(self, who, count, inward):
        deliver = self.world.deliver_from if inward else self.world.deliver_to
        deliver(self.person(who), count)

    @rule()
    def all_messages_arrive(self):
        self.world.deliver_all()

    @rule(ticks=st.integers(1, 30))
    def time_passes(self, ticks):
        for _ in range(ticks):
            self.world.tick()

    @rule(ticks=st.integers(1, 30))
    def life_goes_on(self, ticks):
        for _ in range(ticks):
            self.world.tick()
            self.world.deliver_all()

    @invariant()
    def books_are_in_order(self):
        book = self.world.ledger._book
        for job in book.jobs.values():
            assert job.owners, "a job nobody waits for is remembered"
            if job.state is State.LEASED:
                holder = book.workers.get(job.worker)
                assert holder is not None
                assert job.id in holder.held
            assert (job.ending is not None) == (job.state is State.ENDED)
        for client in self.world.ledger._clients:
            assert client.jobs <= book.jobs.keys()

    def teardown(self):
        """The faults end, good workers come: everything still waited for must end, and be gone."""
        if not hasattr(self, "world"):
            return
        world = self.world
        for worker in world.workers:
            worker.capacity = max(1, worker.capacity)
        world.add_worker(3)
        for _ in range(1600):
            world.tick()
            world.deliver_all()
            for worker in world.workers:
                for job in list(worker.runs):
                    worker.end(job, "done")
            world.deliver_all()
            if not any(client.waiting for client in world.clients) and not self.leftovers():
                break
        self.check_endings()
        assert not self.leftovers()

    def leftovers(self):
        book = self.world.ledger._book
        return list(book.jobs) + [job for worker in book.workers for job in worker.held]

    def check_endings(self):
        for client in self.world.clients:
            for endings in client.endings.values():
                assert len(endings) == 1
                kind = getattr(endings[0], "kind", "finished")
                assert kind != "dead" or endings[0].job in self.world.letters
                assert kind != "error" or self.errors
                assert kind not in ("expired", "cancelled")

    def client(self, who):
        return self.world.clients[who % len(self.world.clients)]

    def worker(self, who):
        return self.world.workers[who % len(self.world.workers)]

    def person(self, who):
        everyone = [*self.world.clients, *self.world.workers]
        return everyone[who % len(everyone)]


test_every_job_ends_exactly_once = Delivery.TestCase
test_every_job_ends_exactly_once.settings = settings(
    max_examples=60,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
