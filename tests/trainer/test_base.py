import json
import shutil

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    LlamaConfig,
)

from rstar_async.errors import BadInput
from rstar_async.models.sources import find
from rstar_async.text.encoding import Encoder
from rstar_async.text.tags import SPECIAL_TOKENS
from rstar_async.trainer.base import prepare_base


def spelling(folder):
    """For every tag, the ids that spell it in this tokenizer."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return [tokenizer.encode(tag, add_special_tokens=False) for tag in SPECIAL_TOKENS]


def test_every_tag_becomes_one_token_that_starts_at_the_mean_of_its_spelling(plain, base):
    before = AutoModelForCausalLM.from_pretrained(plain).get_input_embeddings().weight
    after = AutoModelForCausalLM.from_pretrained(base).get_input_embeddings().weight
    tokenizer = AutoTokenizer.from_pretrained(base)
    ids = tokenizer.convert_tokens_to_ids(list(SPECIAL_TOKENS))
    assert len(set(ids)) == len(SPECIAL_TOKENS)
    assert torch.equal(after[: len(before)], before)
    for row, pieces in zip(ids, spelling(plain), strict=True):
        assert torch.allclose(after[row], before[pieces].mean(0))
    assert len({tuple(after[row].tolist()) for row in ids}) == len(ids)
    assert set(SPECIAL_TOKENS) <= set(tokenizer.extra_special_tokens)


def test_tags_are_added_once(base, tmp_path):
    prepare_base(str(base), tmp_path)
    assert len(AutoTokenizer.from_pretrained(tmp_path)) == len(AutoTokenizer.from_pretrained(base))
    again = AutoModelForCausalLM.from_pretrained(tmp_path)
    for one, other in zip(
        again.parameters(), AutoModelForCausalLM.from_pretrained(base).parameters(), strict=True
    ):
        assert torch.equal(one, other)


def test_spare_rows_of_the_embeddings_are_used_before_new_ones_are_added(plain, tmp_path):
    model = AutoModelForCausalLM.from_pretrained(plain)
    size = model.get_input_embeddings().num_embeddings
    model.resize_token_embeddings(size + 64)
    model.save_pretrained(tmp_path / "padded")
    AutoTokenizer.from_pretrained(plain).save_pretrained(tmp_path / "padded")
    prepare_base(str(tmp_path / "padded"), tmp_path / "out")
    weight = AutoModelForCausalLM.from_pretrained(tmp_path / "out").get_input_embeddings().weight
    assert len(weight) == size + 64
    for row, pieces in enumerate(spelling(plain), size):
        assert torch.allclose(weight[row], weight[pieces].mean(0))


def test_the_prepared_folder_is_complete(base):
    config = json.loads((base / "config.json").read_text())
    assert config["pad_token_id"] == AutoTokenizer.from_pretrained(base).pad_token_id
    assert Encoder.load(base, "tagged").stop_token_ids


@pytest.mark.parametrize("name", ["/nowhere/model", "./nowhere", "a/b/c", "/nowhere/x.gguf"])
def test_a_missing_model_is_named(name, tmp_path):
    with pytest.raises(BadInput, match="there is no f"):
        prepare_base(name, tmp_path)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"neither a config.json nor a single .gguf"):
        prepare_base(str(tmp_path), tmp_path / "out")


def test_a_folder_without_weights_is_refused(plain, tmp_path):
    shutil.copy(plain / "config.json", tmp_path)
    with pytest.raises(BadInput, match="no weights"):
        prepare_base(str(tmp_path), tmp_path / "out")


def test_broken_weights_are_refused_in_one_line(plain, tmp_path):
    broken = shutil.copytree(plain, tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"not a tensor")
    with pytest.raises(BadInput, match="cannot load") as refused:
        prepare_base(str(broken), tmp_path / "out")
    assert "\n" not in str(refused.value)


def test_a_classifier_is_not_a_language_model(plain, tmp_path):
    config = LlamaConfig.from_pretrained(plain, num_labels=1)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(tmp_path)
    with pytest.raises(BadInput, match="LlamaForSequenceClassification, not a causal"):
        prepare_base(str(tmp_path), tmp_path / "out")


def test_a_gguf_is_found_alone_or_in_its_folder(tmp_path):
    file = tmp_path / "model.Q4.gguf"
    file.touch()
    assert find(str(file)) == find(str(tmp_path))
    assert find(str(file)).options == {"gguf_file": "model.Q4.gguf"}


def test_a_hub_name_is_left_to_the_hub():
    assert find("HuggingFaceTB/SmolLM2-135M").place == "HuggingFaceTB/SmolLM2-135M"
