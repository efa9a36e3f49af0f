"""Searches whose paths exceed the model's context: the local engine, with room for a few steps."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from rstar_async import demo
from rstar_async.text.encoding import Encoder
from storage import queries
from tests.search.world import POLICY, QUESTION, InProcess, plan, runner_of, store_with

CHECKPOINT = Path(demo.__file__).parent / "checkpoint"
PROMPT = len(Encoder.load(CHECKPOINT, "tagged").prompt(QUESTION))


def with_context(folder: Path, context: int) -> Path:
    """The demo's model with a context of so many tokens."""
    shutil.copytree(CHECKPOINT, folder / POLICY)
    config = folder / POLICY / "config.json"
    changed = {**json.loads(config.read_text()), "max_position_embeddings": context}
    config.write_text(json.dumps(changed))
    return folder


async def searched(folder: Path, room: int) -> Counter[str]:
    """Statuses of the tree's nodes, where the context leaves `room` tokens after the question."""
    from workers.engines.local.engine import LocalEngine
    from workers.engines.local.settings import LocalSettings

    models = with_context(folder / str(room), PROMPT + room)
    async with (
        LocalEngine(models, LocalSettings(device="cpu")) as engine,
        store_with(folder / f"{room}.db") as (store, search, problem),
    ):
        pools = InProcess(models, engine=engine)
        await runner_of(pools, store).search(search, problem, plan(models))
        found = await store.read(queries.search_by_id, "s")
        assert found.status == "finished"
        statuses = Counter(node.status for node in await store.read(queries.nodes_of, "s"))
        counted = (await store.read(queries.step_counts, "run", 1)).statuses
        assert counted.get("too_long", 0) == statuses["too_long"]
        return statuses


@pytest.mark.parametrize("room", [0, -1])
async def test_a_question_that_fills_the_context_is_a_tree_that_ends_at_once(tmp_path, room):
    assert await searched(tmp_path, room) == {"root": 1, "too_long": 1}


async def test_a_path_that_is_too_long_ends_and_the_search_goes_on(tmp_path):
    found = [await searched(tmp_path, room) for room in range(30, 60, 5)]
    assert any(statuses["too_long"] for statuses in found)
    assert all(statuses["live"] and statuses["unfinished"] for statuses in found)
