"""Whatever dies, breaks, repeats or is late: every job ends exactly once at each waiting client."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from brokers.state import JobState
from rstar_async.wire.messages import Submit, job_id
from tests.brokers.simulation import Simulation

JOBS = [job_id("property", number) for number in range(12)]
pick = st.integers(0, 1000)


class Delivery(RuleBasedStateMachine):
    @initialize(affinity_follows=st.booleans())
    def begin(self, affinity_follows) -> None:
        self.simulation = Simulation(affinity_follows=affinity_follows)
        self.errors = 0
        for _ in range(2):
            self.simulation.add_client()

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

    @precondition(lambda self: len(self.simulation.workers) < 4)
    @rule(capacity=st.integers(1, 5))
    def worker_joins(self, capacity):
        self.simulation.add_worker(capacity)

    @precondition(lambda self: self.simulation.workers)
    @rule(who=pick)
    def worker_is_killed(self, who):
        self.simulation.kill(self.worker(who))

    @precondition(lambda self: self.simulation.workers)
    @rule(who=pick)
    def worker_drains(self, who):
        self.worker(who).capacity = 0

    @precondition(lambda self: self.simulation.workers)
    @rule(who=pick, which=pick, how=st.sampled_from(["done", "done", "done", "busy", "broken"]))
    def run_ends(self, who, which, how):
        worker = self.worker(who)
        if worker.runs:
            self.errors += how != "done"
            worker.end(list(worker.runs)[which % len(worker.runs)], how)

    @precondition(lambda self: self.simulation.workers)
    @rule(who=pick)
    def worker_forgets_a_run(self, who):
        worker = self.worker(who)
        if worker.runs:
            job, _ = worker.runs.popitem()
            worker.stopping.discard(job)

    @rule(who=pick)
    def a_result_is_refused(self, who):
        self.client(who).refuses_next = True

    @rule(who=pick)
    def connection_breaks(self, who):
        self.peer(who).reconnect()

    @rule()
    def broker_restarts(self):
        self.simulation.restart_broker()

    @rule(who=pick)
    def message_is_repeated(self, who):
        peer = self.peer(who)
        if peer.incoming:
            message = peer.incoming[0]
            if type(message[0]).__name__ != "Assign":
                peer.incoming.appendleft(message)

    @rule(who=pick, count=st.integers(1, 5), inward=st.booleans())
    def messages_arrive(self, who, count, inward):
        deliver = self.simulation.deliver_from if inward else self.simulation.deliver_to
        deliver(self.peer(who), count)

    @rule()
    def all_messages_arrive(self):
        self.simulation.deliver_all()

    @rule(ticks=st.integers(1, 30))
    def time_passes(self, ticks):
        for _ in range(ticks):
            self.simulation.tick()

    @rule(ticks=st.integers(1, 30))
    def time_passes_with_messages(self, ticks):
        for _ in range(ticks):
            self.simulation.tick()
            self.simulation.deliver_all()

    @invariant()
    def state_is_consistent(self):
        state = self.simulation.dispatcher._state
        for job in state.jobs:
            assert job.clients, "a job that no client waits for is kept"
            if job.state is JobState.LEASED:
                assert state.workers.get(job.worker.session) is job.worker
                assert job.id in job.worker.held
            assert (job.ending is not None) == (job.state is JobState.ENDED)
        for client in state.clients:
            assert all(state.jobs.get(job) for job in client.jobs)

    def teardown(self):
        """The faults end and good workers join: every job must end, and none may be left."""
        if not hasattr(self, "simulation"):
            return
        simulation = self.simulation
        for worker in simulation.workers:
            worker.capacity = max(1, worker.capacity)
        simulation.add_worker(3)
        for _ in range(1600):
            simulation.tick()
            simulation.deliver_all()
            for worker in simulation.workers:
                for job in list(worker.runs):
                    worker.end(job, "done")
            simulation.deliver_all()
            if not any(client.waiting for client in simulation.clients) and not self.leftovers():
                break
        self.check_endings()
        assert not self.leftovers()

    def leftovers(self):
        state = self.simulation.dispatcher._state
        return [*state.jobs, *(job for worker in state.workers for job in worker.held)]

    def check_endings(self):
        for client in self.simulation.clients:
            for endings in client.endings.values():
                assert len(endings) == 1
                kind = getattr(endings[0], "kind", "finished")
                assert kind != "dead" or endings[0].job in self.simulation.dead_letters
                assert kind != "error" or self.errors
                assert kind not in ("expired", "cancelled")

    def client(self, who):
        return self.simulation.clients[who % len(self.simulation.clients)]

    def worker(self, who):
        return self.simulation.workers[who % len(self.simulation.workers)]

    def peer(self, who):
        return self.simulation.peers[who % len(self.simulation.peers)]


test_every_job_ends_exactly_once = Delivery.TestCase
test_every_job_ends_exactly_once.settings = settings(
    max_examples=60,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
