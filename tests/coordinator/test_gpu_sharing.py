"""Handing the GPU over, with a server that requires what the real one requires."""

import pytest

from rstar_async.coordinator.gpu_sharing import Action, SharedGPU, State, next_step


class FakeServer:
    """Fails the test where the real server would crash."""

    def __init__(self, version="v1"):
        self.paused = False
        self.memory = {"weights", "kv_cache"}
        self.weights = self.disk = version
        self.done = []

    async def state(self):
        return State.RELEASED if not self.memory else State.SERVING

    async def do(self, action):
        self.done.append(action)
        getattr(self, f"_{action}")()

    def _pause(self):
        self.paused = True

    def _release(self):
        assert self.paused
        assert self.memory == {"weights", "kv_cache"}
        self.memory, self.weights = set(), None

    def _take_weights(self):
        assert "weights" not in self.memory
        self.memory.add("weights")

    def _load(self):
        assert "weights" in self.memory
        self.weights = self.disk

    def _take_cache(self):
        assert "kv_cache" not in self.memory
        assert self.weights is not None
        self.memory.add("kv_cache")

    def _resume(self):
        assert self.memory == {"weights", "kv_cache"}
        assert self.weights is not None
        self.paused = False


async def test_the_trainer_gets_all_memory_and_the_servers_get_it_back_with_their_weights():
    servers = [FakeServer(), FakeServer("v2")]
    gpu = SharedGPU(servers)
    await gpu.hand_over("trainer")
    assert all(not server.memory and server.paused for server in servers)
    await gpu.hand_over("servers")
    assert [server.weights for server in servers] == ["v1", "v2"]
    assert not any(server.paused for server in servers)
    assert servers[0].done == list(Action)


@pytest.mark.parametrize("owner", ["trainer", "servers"])
async def test_handing_over_twice_changes_nothing(owner):
    server = FakeServer()
    await SharedGPU([server]).hand_over(owner)
    done = list(server.done)
    await SharedGPU([server]).hand_over(owner)
    assert server.done == done


async def test_a_server_that_is_not_running_is_skipped():
    class Absent:
        async def state(self):
            return None

    await SharedGPU([Absent()]).hand_over("trainer")


CASES = [(state, owner) for state in State for owner in ("trainer", "servers")]


@pytest.mark.parametrize(("state", "owner"), CASES)
def test_from_every_state_the_owner_gets_the_gpu(state, owner):
    seen = [state]
    while (step := next_step(seen[-1], owner)) is not None:
        seen.append(step.after)
        assert len(seen) <= 2 * len(State)
    assert seen[-1] is (State.RELEASED if owner == "trainer" else State.SERVING)
