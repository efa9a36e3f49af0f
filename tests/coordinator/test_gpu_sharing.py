"""Handing the card over, with a device that holds what a real one would hold to."""

import pytest

from rstar_async.coordinator.gpu_sharing import Action, SharedGPU, State, next_step


class FakeDevice:
    """A server's memory; anything that would crash the real one fails the test."""

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


async def test_the_trainer_gets_the_card_empty_and_the_servers_get_it_back_whole():
    devices = [FakeDevice(), FakeDevice("v2")]
    gpu = SharedGPU(devices)
    await gpu.hand_over("trainer")
    assert all(not device.memory and device.paused for device in devices)
    await gpu.hand_over("servers")
    assert [device.weights for device in devices] == ["v1", "v2"]
    assert not any(device.paused for device in devices)
    assert devices[0].done == list(Action)


@pytest.mark.parametrize("owner", ["trainer", "servers"])
async def test_asking_twice_changes_nothing(owner):
    device = FakeDevice()
    await SharedGPU([device]).hand_over(owner)
    done = list(device.done)
    await SharedGPU([device]).hand_over(owner)
    assert device.done == done


async def test_a_server_that_is_not_there_is_passed_over():
    class Absent:
        async def state(self):
            return None

    await SharedGPU([Absent()]).hand_over("trainer")


CASES = [(state, owner) for state in State for owner in ("trainer", "servers")]


@pytest.mark.parametrize(("state", "owner"), CASES)
def test_from_every_state_the_owner_gets_the_card(state, owner):
    seen = [state]
    while (step := next_step(seen[-1], owner)) is not None:
        seen.append(step.after)
        assert len(seen) <= 2 * len(State)
    assert seen[-1] is (State.RELEASED if owner == "trainer" else State.SERVING)
