"""Workers of one pool that join a run from another machine, for as long as the run goes on.

Where the brokers are is read from `HOME/endpoints.json`, and read again when that file changes: a
run that was queued again has moved. Workers leave when the run is over, when it has been away for
`AWAY_SECONDS`, and when they are told to.
"""

import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import trio
from msgspec import structs

from rstar_async.config import Recipe
from rstar_async.launch.devices import VARIABLE, devices_of
from rstar_async.launch.endpoints_file import EndpointsWatch, RunEndpoints
from rstar_async.launch.processes import Places, ProcessSpec, workers
from rstar_async.launch.supervisor import DEFAULT_BACKOFF, GAVE_UP, Supervisor, print_status
from rstar_async.wire.payloads import Pool

LOOK_SECONDS = 1.0
# Slurm may take two minutes to start a job that was queued again, and longer on a full cluster.
AWAY_SECONDS = 900.0
TOLD_TO_STOP = 128 + signal.SIGTERM


class Joining(msgspec.Struct, frozen=True):
    """What to do: `count` workers of `pool` for the run in `home`, 0 for the recipe's number."""

    home: Path
    recipe: Recipe
    pool: Pool
    label: str
    away_seconds: float = AWAY_SECONDS


async def join_run(joining: Joining) -> int:
    """Work until the run is over. Exit code 0; 2 if a worker refused its input; 75 if one kept
    dying; 143 when told to stop before."""
    watch = EndpointsWatch(joining.home)
    async with _told_to_stop() as told:
        while not told.is_set():
            run = await _next_start(joining, watch, told)
            if run is None:
                return 0
            code = await _work(joining, run, watch, told)
            if code:
                return GAVE_UP if code == 1 else code
    return TOLD_TO_STOP


def worker_processes(joining: Joining, run: RunEndpoints) -> list[ProcessSpec]:
    """The workers, each with its share of the GPUs that this process sees."""
    assert run.at is not None
    home, recipe = joining.home, joining.recipe
    places = Places(home, home / "models", run.at, home / "recipe.json", f"{joining.label}-")
    specs = workers(joining.pool, recipe, places)
    visible = [device for device in os.environ.get(VARIABLE, "").split(",") if device]
    if joining.pool == "executor" or not visible:
        return specs
    return [
        _on_devices(spec, devices_of(number, len(specs), visible))
        for number, spec in enumerate(specs, 1)
    ]


def label_of_this_process() -> str:
    """Tells the workers of different machines and jobs apart."""
    host = os.environ.get("SLURMD_NODENAME") or socket.gethostname().split(".")[0]
    job = os.environ.get("SLURM_JOB_ID")
    step = os.environ.get("SLURM_STEP_ID", "batch")
    return f"{host}-{job}.{step}" if job else f"{host}-{os.getpid()}"


def _on_devices(spec: ProcessSpec, devices: list[str]) -> ProcessSpec:
    return structs.replace(spec, env={**spec.env, VARIABLE: ",".join(devices)})


async def _next_start(
    joining: Joining, watch: EndpointsWatch, told: trio.Event
) -> RunEndpoints | None:
    """Wait until brokers listen; None if the run is over, does not come, or we are told to stop."""
    while not told.is_set():
        run = watch.look()
        if watch.silent_seconds > joining.away_seconds:
            print_status(f"no run has been going on in {joining.home} of late: leaving")
            return None
        if run is not None:
            return run if run.at is not None else None
        await trio.sleep(LOOK_SECONDS)
    return None


async def _work(
    joining: Joining, run: RunEndpoints, watch: EndpointsWatch, told: trio.Event
) -> int:
    """Keep the workers running until the endpoints change or we are told to stop."""
    specs = worker_processes(joining, run)
    journal = f"supervisor-{joining.pool}-{joining.label}"
    logs = joining.home / "logs"
    supervisor = Supervisor(specs, logs, print_status, DEFAULT_BACKOFF, journal)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_stop_when_changed, supervisor, joining, run, watch, told)
        code = await supervisor.run()
        nursery.cancel_scope.cancel()
    return code


async def _stop_when_changed(
    supervisor: Supervisor,
    joining: Joining,
    run: RunEndpoints,
    watch: EndpointsWatch,
    told: trio.Event,
) -> None:
    while (
        not told.is_set() and watch.look() == run and watch.silent_seconds <= joining.away_seconds
    ):
        with trio.move_on_after(LOOK_SECONDS):
            await told.wait()
    supervisor.stop()


@asynccontextmanager
async def _told_to_stop() -> AsyncIterator[trio.Event]:
    """An event that SIGUSR1 sets, which srun passes on to its tasks."""
    told = trio.Event()

    async def listen(signals: AsyncIterator[int]) -> None:
        async for _ in signals:
            told.set()

    with trio.open_signal_receiver(signal.SIGUSR1) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(listen, signals)
            yield told
            nursery.cancel_scope.cancel()
