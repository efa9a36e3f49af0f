"""How far a training is, from a file that is written meanwhile."""

import json

import pytest

from rstar_async.config import Recipe
from rstar_async.coordinator.stages import open_round_stages
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
        (prepare,) = await store.read(open_round_stages, recipe)
        assert (prepare.done, prepare.total, prepare.ended) == (0, 0, False)
        file.write_text(f"{json.dumps(STEP)}\n{half}", encoding="latin-1")
        prepare, stage = await store.read(open_round_stages, recipe)
        assert prepare.ended
        assert (stage.title, stage.note) == ("bootstrap · policy", "loss 0.500")
        assert (stage.done, stage.total, stage.ended) == (3, 9, False)
