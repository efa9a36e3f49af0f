"""Which processes a recipe needs: values in, command lines out.

The only place that knows the command lines of other rooms. Processes that submit jobs are stopped
first, brokers last, so that nothing in flight is cut off.
"""

import shlex
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import structs

from rstar_async.config import ObserveConfig, Recipe, WorkersConfig
from rstar_async.engines.registry import engine_name, find_engine
from rstar_async.engines.sglang_servers import ModelPool
from rstar_async.launch.network import Network
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
    stop_signal: int = signal.SIGTERM
    grace_seconds: float = 8.0
    # Port of its metrics on loopback; 0: none.
    metrics_port: int = 0


class Places(msgspec.Struct, frozen=True):
    """The folders and files that the processes are told about, and how they reach each other."""

    home: Path
    models: Path
    network: Network
    recipe: Path
    # Part of the names of workers, where several machines have some of one pool.
    label: str = ""

    @property
    def logs(self) -> Path:
        return self.home / "logs"


def processes(recipe: Recipe, places: Places) -> list[ProcessSpec]:
    """All processes of a run on one machine, in the order in which to start them."""
    specs = [*services(recipe, places), trainer(recipe, places), *coordinators(recipe, places)]
    return observed(specs, recipe.observe)


def processes_for(client: str, recipe: Recipe, places: Places, request: Path) -> list[ProcessSpec]:
    """Brokers, workers and the module `client`, which carries out the request in a file.

    None serves metrics: the recipe's run may be going on elsewhere, with the same ports.
    """
    specs = [*services(recipe, places), _client(client, places, request)]
    return observed(specs, structs.replace(recipe.observe, metrics_port=0))


def services(recipe: Recipe, places: Places) -> list[ProcessSpec]:
    """Brokers and workers."""
    return [
        *(broker(pool, places) for pool in POOLS),
        *workers("executor", recipe, places),
        *workers("inference", recipe, places),
        *workers("reward", recipe, places),
    ]


def workers(pool: Pool, recipe: Recipe, places: Places) -> list[ProcessSpec]:
    """The workers of one pool on one machine; none of a pool that no engine serves."""
    if pool == "executor":
        return [*_executors(recipe.workers, places)]
    return [*_engines(pool, recipe, places)]


def observed(specs: Sequence[ProcessSpec], observe: ObserveConfig) -> list[ProcessSpec]:
    """The processes with what `[observe]` asks of them."""
    return [_observed(spec, number, observe) for number, spec in enumerate(specs)]


def _observed(spec: ProcessSpec, number: int, observe: ObserveConfig) -> ProcessSpec:
    """Every process has a port of its own, the same after each restart."""
    port = observe.metrics_port + number if observe.metrics_port else 0
    metrics = ("--metrics", str(port)) if port else ()
    logs = ("--logs", observe.logs) if observe.logs != "text" else ()
    return structs.replace(spec, argv=(*spec.argv, *metrics, *logs), metrics_port=port)


def broker(pool: Pool, places: Places) -> ProcessSpec:
    return ProcessSpec(
        name=f"broker-{pool}",
        argv=(
            *(*PYTHON, "brokers", pool),
            *places.network.broker_options(pool),
            *("--letters", str(places.home / "letters" / pool)),
        ),
        env=environment(threads=1),
        stop_order=BROKER,
        grace_seconds=2.0,
    )


def _executors(workers: WorkersConfig, places: Places) -> Iterator[ProcessSpec]:
    for number in range(1, workers.executor + 1):
        name = f"executor-{places.label}{number}"
        allowed = (word for lock in workers.allow for word in ("--allow", lock))
        slots = ("--slots", str(workers.slots))
        yield ProcessSpec(
            name=name,
            argv=(*_worker("executor", name, places), *slots, *allowed),
            env=environment(threads=1),
        )


def _engines(pool: ModelPool, recipe: Recipe, places: Places) -> Iterator[ProcessSpec]:
    workers, engine = recipe.workers, find_engine(engine_name(recipe, pool))
    if not engine.opener(pool):
        return
    for number, options in enumerate(engine.worker_options(recipe, pool), 1):
        name = f"{pool}-{places.label}{number}"
        yield ProcessSpec(
            name=name,
            argv=(
                *_worker(pool, name, places),
                *("--models", str(places.models), "--engine", engine.name),
                *("--rows", str(workers.rows)),
                *map(_option, options.items()),
            ),
            env=environment(workers.threads),
            grace_seconds=engine.grace_seconds,
        )


def _option(item: tuple[str, object]) -> str:
    """One word, because values may begin with dashes."""
    name, value = item
    text = shlex.join(value) if isinstance(value, tuple) else str(value)
    return f"--{name.replace('_', '-')}={text}"


def _worker(pool: Pool, name: str, places: Places) -> tuple[str, ...]:
    return (*PYTHON, "workers", pool, *places.network.worker_options(pool), "--name", name)


def trainer(recipe: Recipe, places: Places) -> ProcessSpec:
    return ProcessSpec(
        name="trainer",
        argv=(
            *(*PYTHON, *_trainer_module(recipe.training.processes)),
            *("--recipe", str(places.recipe), "--run", recipe.name),
        ),
        env=environment(recipe.training.threads),
        stop_order=TRAINER,
    )


def _trainer_module(processes: int) -> tuple[str, ...]:
    """A single trainer, or several ranks that train together."""
    if processes == 1:
        return ("rstar_async.trainer",)
    return ("rstar_async.trainer.ranks", str(processes))


def coordinators(recipe: Recipe, places: Places) -> list[ProcessSpec]:
    """One, or several that share the problems; the first has the terminal. Whichever ends first
    with exit code 0 has seen the end of the run."""
    count = recipe.workers.coordinators
    if count == 1:
        return [_coordinator("coordinator", places)]
    names = [f"coordinator-{number}" for number in range(1, count + 1)]
    specs = [_coordinator(name, places, ("--name", name)) for name in names]
    return [structs.replace(spec, on_terminal=spec is specs[0]) for spec in specs]


def _coordinator(name: str, places: Places, named: tuple[str, ...] = ()) -> ProcessSpec:
    return ProcessSpec(
        name=name,
        argv=(
            *(*PYTHON, "rstar_async.coordinator"),
            *("--recipe", str(places.recipe), *places.network.coordinator_options(), *named),
        ),
        env=environment(threads=1),
        ends_run=True,
        on_terminal=True,
        stop_order=COORDINATOR,
        grace_seconds=10.0,
    )


def _client(module: str, places: Places, request: Path) -> ProcessSpec:
    return ProcessSpec(
        name=module.rpartition(".")[2],
        argv=(*PYTHON, module, "--request", str(request), *places.network.coordinator_options()),
        env=environment(threads=1),
        ends_run=True,
        on_terminal=True,
        stop_order=COORDINATOR,
    )


def environment(threads: int) -> dict[str, str]:
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
