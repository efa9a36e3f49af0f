"""Which processes one machine needs for a recipe: values in, command lines out.

This is the only place that knows the other rooms' command lines. Order of stopping: who asks for
work goes first, who carries it goes last, so that nothing in flight is cut off.
"""

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import structs

from rstar_async.config import ObserveConfig, Recipe, WorkersConfig
from rstar_async.launch.sglang_servers import ModelPool, Server, servers_of
from rstar_async.launch.sockets import clients_endpoint, workers_endpoint
from rstar_async.wire.payloads import POOLS, Pool

# -P: a folder of the user's that is named `workers` must not be taken for ours.
PYTHON = (sys.executable, "-P", "-m")

COORDINATOR, TRAINER, WORKER, BROKER = range(4)


class ProcessSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One process to keep running until the run is over."""

    name: str
    argv: tuple[str, ...]
    # Set on top of the launcher's own environment.
    env: dict[str, str] = {}
    # Its end with exit code 0 is the end of the run; others are started again even after that.
    ends_run: bool = False
    # Its standard output is the user's terminal; standard error goes to the log as everyone's does.
    on_terminal: bool = False
    # Groups are stopped in this order, each given this long before it is killed.
    stop_order: int = WORKER
    grace_seconds: float = 8.0
    # Where it serves metrics, on loopback; 0: nowhere.
    metrics_port: int = 0


class Places(msgspec.Struct, frozen=True):
    """The folders and files that the processes are told about."""

    home: Path
    models: Path
    sockets: Path
    recipe: Path

    @property
    def logs(self) -> Path:
        return self.home / "logs"


def processes(recipe: Recipe, places: Places) -> list[ProcessSpec]:
    """All processes of a run on one machine, in the order in which to start them."""
    specs = [*_services(recipe, places), _trainer(recipe, places), _coordinator(places)]
    return [_watched(spec, number, recipe.observe) for number, spec in enumerate(specs)]


def processes_for(client: str, recipe: Recipe, places: Places, request: Path) -> list[ProcessSpec]:
    """Brokers, workers and the module `client`, which does what the file `request` asks for.

    None serves metrics: the run whose recipe this is may go on elsewhere, at the same ports.
    """
    return [*_services(recipe, places), _client(client, places, request)]


def _services(recipe: Recipe, places: Places) -> list[ProcessSpec]:
    return [
        *(_broker(pool, places) for pool in POOLS),
        *_executors(recipe.workers, places),
        *_engines("inference", recipe, places),
        *_engines("reward", recipe, places),
    ]


def _watched(spec: ProcessSpec, number: int, observe: ObserveConfig) -> ProcessSpec:
    """Every process has a port of its own, the same after each of its restarts."""
    port = observe.metrics_port + number if observe.metrics_port else 0
    metrics = ("--metrics", str(port)) if port else ()
    logs = ("--logs", observe.logs) if observe.logs != "text" else ()
    return structs.replace(spec, argv=(*spec.argv, *metrics, *logs), metrics_port=port)


def _broker(pool: Pool, places: Places) -> ProcessSpec:
    return ProcessSpec(
        name=f"broker-{pool}",
        argv=(
            *(*PYTHON, "brokers", pool),
            *("--clients", clients_endpoint(places.sockets, pool)),
            *("--workers", workers_endpoint(places.sockets, pool)),
            *("--letters", str(places.home / "letters" / pool)),
        ),
        env=_environment(threads=1),
        stop_order=BROKER,
        grace_seconds=2.0,
    )


def _executors(workers: WorkersConfig, places: Places) -> Iterator[ProcessSpec]:
    for number in range(1, workers.executor + 1):
        name = f"executor-{number}"
        allowed = (word for lock in workers.allow for word in ("--allow", lock))
        slots = ("--slots", str(workers.slots))
        yield ProcessSpec(
            name=name,
            argv=(*_worker("executor", name, places), *slots, *allowed),
            env=_environment(threads=1),
        )


def _engines(pool: ModelPool, recipe: Recipe, places: Places) -> Iterator[ProcessSpec]:
    workers = recipe.workers
    if workers.engine == "sglang":
        behind = [_server_words(recipe, server) for server in servers_of(recipe, pool)]
    else:
        behind = [()] * (workers.inference if pool == "inference" else workers.reward)
    for number, words in enumerate(behind, 1):
        name = f"{pool}-{number}"
        yield ProcessSpec(
            name=name,
            argv=(
                *_worker(pool, name, places),
                *("--models", str(places.models), "--engine", workers.engine),
                *("--rows", str(workers.rows), "--cache-mib", str(workers.cache_mib)),
                *("--dtype", recipe.model.dtype, "--threads", str(workers.threads)),
                *words,
            ),
            env=_environment(workers.threads),
            # A server of its own is stopped by the worker, in ten seconds at most.
            grace_seconds=8.0 if workers.engine != "sglang" else 14.0,
        )


def _server_words(recipe: Recipe, server: Server) -> tuple[str, ...]:
    if not server.is_ours:
        return ("--url", server.url)
    launch = ("--launch", recipe.sglang.launch) if recipe.sglang.launch else ()
    # In one word, for these begin with dashes too.
    return (
        *launch,
        "--port",
        str(server.port),
        f"--server-arguments={shlex.join(server.arguments)}",
    )


def _worker(pool: Pool, name: str, places: Places) -> tuple[str, ...]:
    endpoint = workers_endpoint(places.sockets, pool)
    return (*PYTHON, "workers", pool, "--endpoint", endpoint, "--name", name)


def _trainer(recipe: Recipe, places: Places) -> ProcessSpec:
    return ProcessSpec(
        name="trainer",
        argv=(
            *(*PYTHON, *_trainers(recipe.training.processes)),
            *("--recipe", str(places.recipe), "--run", recipe.name),
        ),
        env=_environment(recipe.training.threads),
        stop_order=TRAINER,
    )


def _trainers(processes: int) -> tuple[str, ...]:
    """One, or several that train together."""
    if processes == 1:
        return ("rstar_async.trainer",)
    return ("rstar_async.trainer.ranks", str(processes))


def _coordinator(places: Places) -> ProcessSpec:
    return ProcessSpec(
        name="coordinator",
        argv=(
            *(*PYTHON, "rstar_async.coordinator"),
            *("--recipe", str(places.recipe), "--sockets", str(places.sockets)),
        ),
        env=_environment(threads=1),
        ends_run=True,
        on_terminal=True,
        stop_order=COORDINATOR,
        grace_seconds=10.0,
    )


def _client(module: str, places: Places, request: Path) -> ProcessSpec:
    return ProcessSpec(
        name=module.rpartition(".")[2],
        argv=(*PYTHON, module, "--request", str(request), "--sockets", str(places.sockets)),
        env=_environment(threads=1),
        ends_run=True,
        on_terminal=True,
        stop_order=COORDINATOR,
    )


def _environment(threads: int) -> dict[str, str]:
    """Numerical libraries start a thread per core unless told; a dozen processes would fight.

    Where they have several, these sleep while they wait: spinning takes the cores from the others.
    """
    libraries = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return {
        **dict.fromkeys(libraries, str(threads)),
        "OMP_WAIT_POLICY": "PASSIVE",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONUNBUFFERED": "1",
    }
