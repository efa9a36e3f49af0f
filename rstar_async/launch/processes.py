"""Which processes one machine needs for a recipe: values in, command lines out.

The only place that knows the command lines of other rooms. Processes that submit jobs are stopped
first, brokers last, so that nothing in flight is cut off.
"""

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import structs

from rstar_async.config import ObserveConfig, Recipe, WorkersConfig
from rstar_async.engines.registry import engine_name, find_engine
from rstar_async.engines.sglang_servers import ModelPool
from rstar_async.launch.sockets import clients_endpoint, workers_endpoint
from rstar_async.wire.payloads import POOLS, Pool

# -P: a folder named `workers` in the user's working directory must not be imported.
PYTHON = (sys.executable, "-P", "-m")

COORDINATOR, TRAINER, WORKER, BROKER = range(4)


class ProcessSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One process to keep running until the run is over."""

    name: str
    argv: tuple[str, ...]
    # Set on top of the launcher's own environment.
    env: dict[str, str] = {}
    # Its exit code 0 ends the run; other processes are started again even after that.
    ends_run: bool = False
    # Its standard output is the user's terminal; standard error always goes to the log.
    on_terminal: bool = False
    # Groups are stopped in this order, each given this long before it is killed.
    stop_order: int = WORKER
    grace_seconds: float = 8.0
    # Port of its metrics on loopback; 0: none.
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
    specs = [*services(recipe, places), _trainer(recipe, places), _coordinator(places)]
    return [_observed(spec, number, recipe.observe) for number, spec in enumerate(specs)]


def processes_for(client: str, recipe: Recipe, places: Places, request: Path) -> list[ProcessSpec]:
    """Brokers, workers and the module `client`, which carries out the request in a file.

    None serves metrics: the recipe's run may be going on elsewhere, with the same ports.
    """
    specs = [*services(recipe, places), _client(client, places, request)]
    observe = structs.replace(recipe.observe, metrics_port=0)
    return [_observed(spec, number, observe) for number, spec in enumerate(specs)]


def services(recipe: Recipe, places: Places) -> list[ProcessSpec]:
    """Brokers and workers."""
    return [
        *(_broker(pool, places) for pool in POOLS),
        *_executors(recipe.workers, places),
        *_engines("inference", recipe, places),
        *_engines("reward", recipe, places),
    ]


def _observed(spec: ProcessSpec, number: int, observe: ObserveConfig) -> ProcessSpec:
    """Every process has a port of its own, the same after each restart."""
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
    workers, engine = recipe.workers, find_engine(engine_name(recipe, pool))
    if not engine.opener(pool):
        return
    for number, options in enumerate(engine.worker_options(recipe, pool), 1):
        name = f"{pool}-{number}"
        yield ProcessSpec(
            name=name,
            argv=(
                *_worker(pool, name, places),
                *("--models", str(places.models), "--engine", engine.name),
                *("--rows", str(workers.rows)),
                *map(_option, options.items()),
            ),
            env=_environment(workers.threads),
            grace_seconds=engine.grace_seconds,
        )


def _option(item: tuple[str, object]) -> str:
    """One word, because values may begin with dashes."""
    name, value = item
    text = shlex.join(value) if isinstance(value, tuple) else str(value)
    return f"--{name.replace('_', '-')}={text}"


def _worker(pool: Pool, name: str, places: Places) -> tuple[str, ...]:
    endpoint = workers_endpoint(places.sockets, pool)
    return (*PYTHON, "workers", pool, "--endpoint", endpoint, "--name", name)


def _trainer(recipe: Recipe, places: Places) -> ProcessSpec:
    return ProcessSpec(
        name="trainer",
        argv=(
            *(*PYTHON, *_trainer_module(recipe.training.processes)),
            *("--recipe", str(places.recipe), "--run", recipe.name),
        ),
        env=_environment(recipe.training.threads),
        stop_order=TRAINER,
    )


def _trainer_module(processes: int) -> tuple[str, ...]:
    """A single trainer, or several ranks that train together."""
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
    """Limit the threads of numerical libraries, which would start one per core in every process.

    Waiting threads sleep: spinning would take the cores from other processes.
    """
    libraries = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return {
        **dict.fromkeys(libraries, str(threads)),
        "OMP_WAIT_POLICY": "PASSIVE",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONUNBUFFERED": "1",
    }
