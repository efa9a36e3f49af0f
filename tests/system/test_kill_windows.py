"""Every window in which a kill could lose or double something: killed exactly there, nothing is.

The windows are those of docs/architecture.md. One run dies in all of them, one after another, and
is restarted by the supervisor each time; its trees must be those of a run that nobody disturbed.
"""

import sys
from pathlib import Path

import msgspec
import pytest
import trio
from msgspec import structs

from benchmarks.chaos import recipe_for
from benchmarks.forest import Tree, read_forest, unfinished, unlike
from benchmarks.storm import ENDLESS, laid_out, left_over, quiet
from rstar_async.config import Recipe
from rstar_async.launch.processes import ProcessSpec
from rstar_async.launch.supervisor import run_processes
from tests.system.die_at import Window

PATIENCE_SECONDS = 1200.0
DIE_AT = Path(__file__).with_name("die_at.py")
ARCHITECTURE = Path(__file__).parents[2] / "docs" / "architecture.md"

COMMIT = {"module": "storage.database", "function": "Database.write"}
DRIVER = "rstar_async.rounds.driver"
WINDOWS = {
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
    "broker-executor": [
        Window(
            name="job accepted, not forwarded",
            module="brokers.jobbook", function="JobBook.submit", event="return", number=10,
        ),
        Window(
            name="result taken, not passed on",
            module="brokers.floor", function="Floor.done", event="return", number=10,
        ),
    ],
    "broker-inference": [
        Window(
            name="beats compared, nothing sent",
            module="brokers.floor", function="Floor.beat", event="return", number=4,
        ),
    ],
    "executor-1": [
        Window(
            name="job leased, not begun",
            module="workers.station", function="Station._take", event="return", number=4,
        ),
        Window(
            name="job done, not said",
            module="workers.station", function="Station._say", event="call", number=4,
        ),
        Window(
            name="job said, worker gone",
            module="rstar_async.wire.link", function="Link._post", event="return", number=8,
        ),
    ],
    "inference-1": [
        Window(
            name="generation under way",
            module="workers.inference", function="answer", event="call", number=3,
        ),
    ],
    "trainer": [
        Window(
            name="model written, not renamed",
            module="rstar_async.trainer.publish", function="_rename", event="call",
        ),
        Window(
            name="models renamed, no row",
            module="rstar_async.trainer.workshop", function="Workshop.finish", event="call",
        ),
        Window(
            name="row committed",
            module="rstar_async.trainer.workshop", function="Workshop.finish", event="return",
        ),
    ],
}  # fmt: skip
NAMES = [window.name for windows in WINDOWS.values() for window in windows]


def test_a_kill_in_any_window_changes_no_tree(tmp_path: Path) -> None:
    recipe = recipe_for(tmp_path, seed=3, short=True)
    calm, _ = grow(recipe, tmp_path / "calm", windows={})
    trees, died = grow(recipe, tmp_path / "killed", windows=WINDOWS)
    assert died == set(NAMES)
    assert len(calm) == len(trees) > 0
    assert unlike(calm, trees) == []
    assert unfinished(trees.values()) == 0
    assert sum(tree.lost + tree.twice + tree.delivered_twice for tree in trees.values()) == 0


@pytest.mark.parametrize("name", NAMES)
def test_the_architecture_names_the_window(name: str) -> None:
    assert f"| {name} |" in ARCHITECTURE.read_text()


def grow(
    recipe: Recipe, home: Path, windows: dict[str, list[Window]]
) -> tuple[dict[str, Tree], set[str]]:
    """Bring a run to its end, its processes dying in their windows; its trees, and who died."""
    recipe = structs.replace(recipe, home=str(home))
    folder = home.with_name(f"{home.name}-died")
    folder.mkdir()
    with laid_out(recipe, delay=0.0) as (specs, places):
        dying = [_dying(spec, windows.get(spec.name, []), folder) for spec in specs]
        code = trio.run(_run, dying, places.logs)
    assert code == 0
    assert left_over(home) == []
    trees = read_forest(recipe.database_url, recipe.name)
    return trees, {file.name for file in folder.iterdir()}


async def _run(specs: list[ProcessSpec], logs: Path) -> int:
    with trio.fail_after(PATIENCE_SECONDS):
        return await run_processes(specs, logs, say=quiet, patience=ENDLESS)


def _dying(spec: ProcessSpec, windows: list[Window], folder: Path) -> ProcessSpec:
    """The same process, run by `die_at`; `python -P -m MODULE …` is what it was."""
    if not windows:
        return spec
    python, safe, _, module, *rest = spec.argv
    assert python == sys.executable
    plan = msgspec.json.encode(windows).decode()
    return structs.replace(spec, argv=(python, safe, str(DIE_AT), plan, str(folder), module, *rest))
