"""Rogue workers of every kind beside the honest ones of a run, from its first second on."""

import secrets
from collections import Counter
from collections.abc import Sequence

import trio

from benchmarks.chaos.rogues import ROGUES, Rogue
from rstar_async.config import Recipe
from rstar_async.errors import BrokerLost
from rstar_async.launch.processes import ProcessSpec
from rstar_async.wire.codec import decode_to_worker
from rstar_async.wire.connection import Connection
from rstar_async.wire.messages import (
    PROTOCOL,
    Assign,
    ToWorkerMessage,
    Welcome,
    WorkerBeat,
    WorkerHello,
)
from rstar_async.wire.socket import open_peer

CAPACITY = 2
AGAIN_SECONDS = 1.0  # after the broker has refused it


class RogueWorker:
    """One worker; `asked` counts the jobs it was given."""

    def __init__(self, endpoint: str, name: str, rogue: Rogue) -> None:
        self._name, self._rogue = f"rogue: {name}", rogue
        self._session = secrets.token_bytes(8)
        self.asked = 0
        self._connection: Connection[ToWorkerMessage] = Connection(
            endpoint, self, lambda: open_peer(endpoint, queue=1000, keys=None), decode_to_worker
        )

    async def run(self) -> None:
        """Work until cancelled, however often the broker refuses it."""
        while True:
            try:
                await self._connection.run()
            except* BrokerLost:
                await trio.sleep(AGAIN_SECONDS)

    def hello(self) -> WorkerHello:
        header: WorkerHello = self._rogue.hello(
            WorkerHello(PROTOCOL, self._name, self._session, CAPACITY)
        )
        return header

    def beat(self) -> WorkerBeat:
        header: WorkerBeat = self._rogue.beat(WorkerBeat([], CAPACITY))
        return header

    def welcomed(self, welcome: Welcome) -> None:
        pass

    def heard(self, message: ToWorkerMessage, body: bytes) -> None:
        if isinstance(message, Assign):
            self.asked += 1
            for header, result in self._rogue.reply(message, body):
                self._connection.send(header, result)


class RogueInjector:
    """Runs one rogue of each kind as long as the run lasts; `asked` counts their jobs by kind."""

    def __init__(self) -> None:
        self._workers: dict[str, RogueWorker] = {}

    @property
    def asked(self) -> Counter[str]:
        return Counter({name: worker.asked for name, worker in self._workers.items()})

    async def run(self, specs: Sequence[ProcessSpec], recipe: Recipe) -> None:
        async with trio.open_nursery() as nursery:
            for name, rogue in ROGUES.items():
                worker = RogueWorker(_endpoint(specs, rogue.pool), name, rogue)
                self._workers[name] = worker
                nursery.start_soon(worker.run)


def _endpoint(specs: Sequence[ProcessSpec], pool: str) -> str:
    """Where the pool's honest workers connect to."""
    spec = next(spec for spec in specs if spec.name.startswith(f"{pool}-"))
    return spec.argv[spec.argv.index("--endpoint") + 1]
