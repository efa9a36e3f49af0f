"""What replies of a model are held to, read from its folder."""

import json

import pytest

from rstar_async.search.models import ActiveModels
from rstar_async.wire.replies import ModelBounds
from tests.search.world import POLICY, models_in


@pytest.fixture
def models(tmp_path):
    folder = models_in(tmp_path / "models")
    (folder / POLICY / "manifest.json").write_text(json.dumps({"prompt_style": "tagged"}))
    return folder


def bounds_with(models, config: object) -> ModelBounds:
    (models / POLICY / "config.json").write_text(json.dumps(config))
    return ActiveModels.load(models, POLICY, None).policy_bounds


def test_ids_are_those_of_the_model_which_may_have_more_than_its_tokenizer(models):
    of_tokenizer = ActiveModels.load(models, POLICY, None).policy_bounds
    assert 0 < of_tokenizer.vocabulary < 5000
    assert of_tokenizer.context == 0
    large = {"vocab_size": 5000, "max_position_embeddings": 1024}
    assert bounds_with(models, large) == ModelBounds(5000, 1024)
    assert bounds_with(models, {"text_config": large}) == ModelBounds(5000, 1024)
    assert bounds_with(models, {"vocab_size": 1}) == of_tokenizer


@pytest.mark.parametrize(
    "config",
    [[], "text", {"text_config": 3}, {"vocab_size": "many", "max_position_embeddings": 2**63}],
)
def test_a_config_that_tells_nothing_leaves_the_tokenizer(models, config):
    assert bounds_with(models, config) == ActiveModels.load(models, POLICY, None).policy_bounds
    assert bounds_with(models, config).context == 0
