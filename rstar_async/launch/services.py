"""Brokers and workers beside a program that searches in its own process, such as a notebook."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from rstar_async.config import Recipe
from rstar_async.errors import BadInput, RstarError
from rstar_async.launch.home import prepare_home
from rstar_async.launch.lock import RunLock
from rstar_async.launch.network import LocalSockets
from rstar_async.launch.processes import Places, services
from rstar_async.launch.run import socket_folder
from rstar_async.launch.sockets import clients_endpoint
from rstar_async.launch.supervisor import BAD_INPUT, DEFAULT_BACKOFF, Supervisor
from rstar_async.wire.exception_groups import single
from rstar_async.wire.payloads import POOLS, Pool


@asynccontextmanager
async def open_services(recipe: Recipe) -> AsyncIterator[dict[Pool, str]]:
    """Run the recipe's brokers and workers while the block lasts; the clients' endpoints.

    Locks and logs are in the recipe's home. Must be entered in the main thread. If a process cannot
    be kept running the block is cancelled: `BadInput` if it refused its input, else `RstarError`;
    `KeyboardInterrupt` after Ctrl-C.
    """
    home = recipe.home_folder
    with RunLock(home) as lock, socket_folder(lock) as sockets:
        places = Places(home, recipe.models_folder, LocalSockets(sockets), prepare_home(recipe))
        said: list[str] = []
        specs = services(recipe, places)
        supervisor = Supervisor(specs, places.logs, said.append, DEFAULT_BACKOFF)

        async def supervise() -> None:
            code = await supervisor.run()
            if code:
                raise _ending(code, said)

        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(supervise)
                yield {pool: clients_endpoint(sockets, pool) for pool in POOLS}
                supervisor.stop()
        except BaseExceptionGroup as group:
            error = single(group)
        else:
            return
        raise error


def _ending(code: int, said: list[str]) -> BaseException:
    if code == 128 + signal.SIGINT:
        return KeyboardInterrupt()
    reason = said[-1] if said else f"the processes ended with exit code {code}"
    return BadInput(reason) if code == BAD_INPUT else RstarError(reason)
