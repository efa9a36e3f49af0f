"""How far a training is, from a file that is written meanwhile."""

import json

import pytest

from rstar_async.config import Recipe
from rstar_async.coordinator.progress import current_stages
from storage.records import Round, Run
from storage.store import open_store

STEP = {"phase": "policy", "round": 0, "step": 3, "total": 9, "loss": 0.5}
HALF = ['{"phase": "pol', "\xff", '{"a":' * 100_000, "[]", '{"step": %s' % ("9" * 5_000)]


@pytest.mark.parametrize("half", HALF, ids=range(len(HALF)))
async def test_half_a_line_is_passed_over(tmp_path, half):
    recipe = Recipe(name="r", home=str(tmp_path))
    (tmp_path / "training").mkdir()
    file = tmp_path / "training" / "progress.jsonl"
    async with open_store(recipe.database_url) as store:
        await store.commit(Run("r", {}, 1, ""), Round("r", 0, "searched", "", searched_at=1e10))
        assert [(s.done, s.total) for s in await current_stages(recipe, store)] == [(0, 0)]
        file.write_text(f"{json.dumps(STEP)}\n{half}", encoding="latin-1")
        (stage,) = await current_stages(recipe, store)
        assert (stage.done, stage.total, stage.note) == (3, 9, "policy · loss 0.500")
