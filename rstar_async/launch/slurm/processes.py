"""The processes of a run in an allocation: those of the batch node, and groups that srun starts on
all nodes. Pure.

A group is one `rstar workers` per node, which keeps that node's workers of one pool running.
"""

import signal
import sys
from collections.abc import Iterator

from msgspec import structs

from rstar_async.config import Recipe
from rstar_async.launch.network import TCPEndpoints
from rstar_async.launch.processes import (
    PYTHON,
    WORKER,
    Places,
    ProcessSpec,
    broker,
    coordinators,
    environment,
    observed,
    trainer,
    workers,
)
from rstar_async.wire.payloads import POOLS, Pool

# Longer than any worker takes to stop.
GROUP_GRACE_SECONDS = 20.0
# Steps share what the job was given. A task that fails ends its step, so that it is started again.
SRUN = ("srun", "--overlap", "--kill-on-bad-exit=1", "--ntasks-per-node=1")


def job_processes(recipe: Recipe, places: Places, nodes: int, port: int) -> list[ProcessSpec]:
    """All of them. The trainers of several nodes meet at `port` of the batch node."""
    assert isinstance(places.network, TCPEndpoints)
    specs = [
        *(broker(pool, places) for pool in POOLS),
        *_groups(recipe, places, nodes),
        _trainer(recipe, places, f"{places.network.host}:{port}"),
        *coordinators(recipe, places),
    ]
    return observed(specs, recipe.observe)


def _groups(recipe: Recipe, places: Places, nodes: int) -> Iterator[ProcessSpec]:
    for pool in POOLS:
        if workers(pool, recipe, places):
            yield _group(pool, places, nodes, recipe.slurm.gpus)


def _group(pool: Pool, places: Places, nodes: int, gpus: int) -> ProcessSpec:
    return ProcessSpec(
        name=f"workers-{pool}",
        argv=(
            *(*SRUN, f"--nodes={nodes}", f"--ntasks={nodes}"),
            *(_gpus(gpus) if pool != "executor" else ()),
            *(sys.executable, *PYTHON[1:], "rstar_async.cli", "workers", pool),
            *("--join", str(places.home)),
        ),
        env=environment(threads=1),
        stop_order=WORKER,
        stop_signal=signal.SIGUSR1,  # srun would kill its tasks after SIGTERM, and passes this on
        grace_seconds=GROUP_GRACE_SECONDS,
    )


def _trainer(recipe: Recipe, places: Places, meeting: str) -> ProcessSpec:
    """On the batch node alone, or by torchrun on several nodes."""
    alone = trainer(recipe, places)
    nodes, ranks = recipe.slurm.training_nodes, recipe.training.processes
    if nodes == 1:
        return alone
    options = alone.argv[alone.argv.index("--recipe") :]
    layout = f"{nodes}:{ranks}:{meeting}"
    module = (*PYTHON, "rstar_async.trainer.ranks", layout)
    srun = (*SRUN, f"--nodes={nodes}", f"--ntasks={nodes}", *_gpus(recipe.slurm.gpus))
    return structs.replace(alone, argv=(*srun, *module, *options))


def _gpus(count: int) -> tuple[str, ...]:
    return (f"--gpus-per-node={count}",) if count else ()
