"""Every window in which a kill could lose or repeat something: a kill exactly there does neither.

The windows are those of docs/architecture.md. A broker and its workers die in theirs while a client
asks; a whole run dies in those of coordinator and trainer, and must grow the trees of an
undisturbed run. The supervisor restarts the processes that died.
"""

import itertools
from pathlib import Path

import msgspec
import pytest
import trio
from msgspec import structs

from benchmarks.chaos.injector import ENDLESS, left_over, prepared_run, quiet
from benchmarks.chaos.recipe import recipe_for
from benchmarks.chaos.tree_diff import Tree, different, read_trees, unfinished
from rstar_async.config import Recipe
from rstar_async.launch.processes import PYTHON, ProcessSpec
from rstar_async.launch.supervisor import run_processes
from rstar_async.wire.messages import job_id
from rstar_async.wire.pool import PoolClient, open_pool
from tests.system.die_at import Window

LIMIT_SECONDS = 1200.0
DIE_AT = Path(__file__).with_name("die_at.py")
ROOT = Path(__file__).parents[2]
ARCHITECTURE = ROOT / "docs" / "architecture.md"

COMMIT = {"module": "storage.database", "function": "Database.write"}
DRIVER = "rstar_async.coordinator.driver"
WIRE_WINDOWS = {
    "broker": [
        Window(
            name="job accepted, not forwarded",
            module="brokers.pool_state", function="PoolState.submit", event="return", number=10,
        ),
        Window(
            name="result taken, not passed on",
            module="brokers.pool_state", function="PoolState.record_result",
            event="return", number=10,
        ),
        Window(
            name="beats compared, nothing sent",
            module="brokers.pool_state", function="PoolState.reconcile_worker",
            event="return", number=4,
        ),
    ],
    "worker-1": [
        Window(
            name="job leased, not begun",
            module="workers.worker", function="Worker._start", event="return", number=4,
        ),
        Window(
            name="job under way",
            module="workers.worker", function="Worker._outcome", event="return", number=4,
        ),
        Window(
            name="job done, not said",
            module="workers.worker", function="Worker._send", event="call", number=4,
        ),
        Window(
            name="job said, worker gone",
            module="rstar_async.wire.connection", function="Connection._flush", event="return",
            number=8,
        ),
    ],
}  # fmt: skip
RUN_WINDOWS = {
    "coordinator": [
        Window(name="before a commit", **COMMIT, event="call", number=12),
        Window(name="after a commit, before Got", **COMMIT, event="return", number=20),
        Window(
            name="searches finished, round not closed",
            module=DRIVER, function="Driver._advance", event="call",
            given={"number": 1, "status": "searched"},
        ),
        Window(
            name="round closed, training awaited",
            module=DRIVER, function="Driver._wait_until_trained", event="call",
            given={"number": 1},
        ),
    ],
    "trainer": [
        Window(
            name="model written, not renamed",
            module="rstar_async.trainer.publish", function="_rename", event="call",
        ),
        Window(
            name="models renamed, no row",
            module="rstar_async.trainer.context", function="TrainingContext.finish", event="call",
        ),
        Window(
            name="row committed",
            module="rstar_async.trainer.context", function="TrainingContext.finish", event="return",
        ),
    ],
}  # fmt: skip
JOBS = 400
ASKING = 8


def names(windows: dict[str, list[Window]]) -> list[str]:
    return [window.name for of_one in windows.values() for window in of_one]


def hit(died: Path) -> set[str]:
    """The windows in which a process has died."""
    return {file.name for file in died.iterdir()}


async def test_a_broker_or_worker_killed_in_any_window_costs_no_answer(tmp_path: Path) -> None:
    clients, workers = f"ipc://{tmp_path}/c", f"ipc://{tmp_path}/w"
    ends = ("--clients", clients, "--workers", workers, "--lease", "5")
    plain = [
        _spec("broker", "brokers", "test", *ends),
        _spec("worker-1", "benchmarks.broker.peers", "pool_worker", workers, "4", "0.02"),
        _spec("worker-2", "benchmarks.broker.peers", "pool_worker", workers, "4", "0.02"),
    ]
    died = tmp_path / "died"
    died.mkdir()
    specs = [_dying(spec, WIRE_WINDOWS.get(spec.name, []), died) for spec in plain]
    answers = set[int]()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: run_processes(specs, tmp_path, report=quiet, backoff=ENDLESS))
        with trio.fail_after(LIMIT_SECONDS):
            async with open_pool(clients, name="client") as pool, trio.open_nursery() as asks:
                for first in range(ASKING):
                    asks.start_soon(_ask, pool, range(first, JOBS, ASKING), died, answers)
        nursery.cancel_scope.cancel()
    assert hit(died) == set(names(WIRE_WINDOWS))
    assert len(answers) >= JOBS


async def _ask(pool: PoolClient, numbers: range, died: Path, answers: set[int]) -> None:
    """Ask for all of them, and on until every window has been hit."""
    for number in itertools.chain(numbers, itertools.count(JOBS + numbers[0], ASKING)):
        if number >= JOBS and len(hit(died)) == len(names(WIRE_WINDOWS)):
            return
        body = b"%d" % number
        answer = await pool.ask(job_id("window", number), body)
        assert answer.body == body
        answers.add(number)


@pytest.mark.slow  # two whole runs, with a dozen lives of processes that import torch
def test_a_coordinator_or_trainer_killed_in_any_window_changes_no_tree(tmp_path: Path) -> None:
    recipe = recipe_for(tmp_path, seed=3, short=True)
    undisturbed, _ = grow(recipe, tmp_path / "undisturbed", windows={})
    trees, died = grow(recipe, tmp_path / "killed", windows=RUN_WINDOWS)
    assert died == set(names(RUN_WINDOWS))
    assert len(undisturbed) == len(trees) > 0
    assert different(undisturbed, trees) == []
    assert unfinished(trees.values()) == 0
    assert sum(tree.lost + tree.twice + tree.delivered_twice for tree in trees.values()) == 0


@pytest.mark.parametrize("name", [*names(WIRE_WINDOWS), *names(RUN_WINDOWS)])
def test_the_architecture_names_the_window(name: str) -> None:
    assert f"| {name} |" in ARCHITECTURE.read_text()


def grow(
    recipe: Recipe, home: Path, windows: dict[str, list[Window]]
) -> tuple[dict[str, Tree], set[str]]:
    """Run to the end, processes dying in their windows; return the trees and the windows hit."""
    recipe = structs.replace(recipe, home=str(home))
    folder = home.with_name(f"{home.name}-died")
    folder.mkdir()
    with prepared_run(recipe, delay=0.0) as (specs, places):
        dying = [_dying(spec, windows.get(spec.name, []), folder) for spec in specs]
        code = trio.run(_run, dying, places.logs)
    assert code == 0
    assert left_over(home) == []
    trees = read_trees(recipe.database_url, recipe.name)
    return trees, hit(folder)


async def _run(specs: list[ProcessSpec], logs: Path) -> int:
    with trio.fail_after(LIMIT_SECONDS):
        return await run_processes(specs, logs, report=quiet, backoff=ENDLESS)


def _spec(name: str, module: str, *words: str) -> ProcessSpec:
    argv = (*PYTHON, module, *words)
    return ProcessSpec(name=name, argv=argv, env={"PYTHONPATH": str(ROOT)})


def _dying(spec: ProcessSpec, windows: list[Window], folder: Path) -> ProcessSpec:
    """The same process, run by `die_at`; its command line was `python -P -m MODULE …`."""
    if not windows:
        return spec
    python, safe, _, module, *rest = spec.argv
    plan = msgspec.json.encode(windows).decode()
    return structs.replace(spec, argv=(python, safe, str(DIE_AT), plan, str(folder), module, *rest))
