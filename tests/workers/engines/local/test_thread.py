"""When the torch thread fails, no request waits for it any more."""

import pytest
import trio

from rstar_async.engines.errors import EngineFailed
from rstar_async.wire.payloads import Generate, Sampling
from workers.engines.local.sequence import PendingRequest
from workers.engines.local.thread import TorchThread
from workers.engines.local.versions import Activity, ModelManager

REQUEST = Generate("any", [1], 1, 0, Sampling())


class Doomed:
    """Takes pending and fails at it like a broken device."""

    def __init__(self) -> None:
        self.taken = 0

    @property
    def busy(self) -> bool:
        return self.taken > 0

    @property
    def activity(self) -> Activity:
        return Activity(waiting=self.taken)

    def start(self) -> None:
        pass

    def add(self, pending: PendingRequest[Generate, str]) -> None:
        self.taken += 1

    def step(self) -> None:
        if self.taken == 3:
            raise RuntimeError("device lost")

    def close(self) -> None:
        self.taken = 0


async def test_a_failure_reaches_every_waiting_and_every_later_request() -> None:
    manager: ModelManager[Generate, str] = ModelManager(lambda _: Doomed(), 1)
    thread = TorchThread(manager, "doomed", None)
    thread.open()
    failures: list[str] = []

    async def request() -> None:
        try:
            await thread.request(REQUEST)
        except EngineFailed as failure:
            failures.append(str(failure))

    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(request)
        assert failures == ["RuntimeError: device lost"] * 3
        with pytest.raises(EngineFailed, match="device lost"):
            await thread.request(REQUEST)
        await thread.close()
