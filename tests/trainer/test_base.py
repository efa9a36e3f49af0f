import json
import shutil
import struct
import subprocess
import sys

import msgspec
import pytest
import torch
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, processors
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    LlamaConfig,
    PreTrainedTokenizerFast,
)

from rstar_async.config import ModelConfig, Recipe
from rstar_async.errors import BadInput
from rstar_async.models.sources import find, require
from rstar_async.text.encoding import Encoder
from rstar_async.text.tags import SPECIAL_TOKENS
from rstar_async.text.tokenizer_file import open_tokenizer
from rstar_async.trainer.base import prepare_base
from rstar_async.trainer.base_proof import PROBE, meaning_of, prove
from rstar_async.trainer.base_tokenizer import load_tokenizer
from storage.database import open_database
from tests.trainer.stored_trees import open_run


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
    file.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 0))  # no tensors, no facts
    assert find(str(file)) == find(str(tmp_path))
    assert find(str(file)).options == {"gguf_file": "model.Q4.gguf"}


def test_a_hub_name_is_left_to_the_hub():
    assert find("HuggingFaceTB/SmolLM2-135M").place == "HuggingFaceTB/SmolLM2-135M"


# -- what a folder means


@pytest.fixture
def changed(plain, tmp_path):
    """A copy of the plain model, for a test to change."""
    return shutil.copytree(plain, tmp_path / "changed")


def edit_json(file, **changes):
    content = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps({**content, **changes}))


def prepared(folder, tmp_path):
    into = tmp_path / "out"
    into.mkdir()
    prepare_base(str(folder), into)
    return into


def refusal(folder, tmp_path):
    """The one line with which a base is refused."""
    with pytest.raises(BadInput, match=r"^model\.base: ") as refused:
        prepared(folder, tmp_path)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(
    "name", ["LlamaTokenizerFast", "LlamaTokenizer", "Qwen2Tokenizer", "GPT2Tokenizer", "Unheard"]
)
def test_the_ids_are_those_of_tokenizer_json_whatever_class_it_names(changed, tmp_path, name):
    alone = open_tokenizer(changed)
    edit_json(changed / "tokenizer_config.json", tokenizer_class=name)
    into = prepared(changed, tmp_path)
    wanted = alone.encode(PROBE, add_special_tokens=False).ids
    assert Encoder.load(into, "tagged").step(PROBE) == wanted
    for loaded in (AutoTokenizer, PreTrainedTokenizerFast):
        assert loaded.from_pretrained(into).encode(PROBE, add_special_tokens=False) == wanted


def test_a_tokenizer_that_cuts_and_pads_texts_no_longer_does(changed, tmp_path):
    alone = open_tokenizer(changed)
    alone.enable_truncation(16)
    alone.enable_padding(length=32)
    alone.save(str(changed / "tokenizer.json"))
    into = prepared(changed, tmp_path)
    assert Encoder.load(into, "tagged").decode(Encoder.load(into, "tagged").step(PROBE)) == PROBE


@pytest.mark.parametrize("single", ["<eos> $A", "<eos> $A <eos>"])
@pytest.mark.parametrize("adds", [None, True, False])
def test_the_prepared_tokenizer_puts_before_a_text_what_prompts_begin_with(
    changed, tmp_path, adds, single
):
    """And nothing after it."""
    alone = open_tokenizer(changed)
    eos = alone.token_to_id("<eos>")
    alone.post_processor = processors.TemplateProcessing(single, special_tokens=[("<eos>", eos)])
    alone.save(str(changed / "tokenizer.json"))
    if adds is not None:
        edit_json(changed / "tokenizer_config.json", add_bos_token=adds, bos_token="<eos>")
    into, begin = prepared(changed, tmp_path), [] if adds is False else [eos]
    assert list(Encoder.load(into, "tagged").bos_ids) == begin
    assert AutoTokenizer.from_pretrained(into).encode("a")[:-1] == begin
    assert Tokenizer.from_file(str(into / "tokenizer.json")).encode("a").ids[:-1] == begin


def test_a_version_without_bos_stays_so_when_it_becomes_a_base(changed, tmp_path):
    """It was trained so, though its tokenizer puts one before a text."""
    alone = open_tokenizer(changed)
    alone.post_processor = processors.TemplateProcessing("<eos> $A", special_tokens=[("<eos>", 0)])
    alone.save(str(changed / "tokenizer.json"))
    edit_json(changed / "manifest.json", prompt_style="tagged")
    assert Encoder.load(prepared(changed, tmp_path), "tagged").bos_ids == ()


def test_sampling_of_the_base_is_left_out_and_its_ends_are_kept(changed, tmp_path, caplog):
    edit_json(
        changed / "generation_config.json",
        do_sample=False,
        temperature=0.6,
        top_p=0.9,
        eos_token_id=[0, 5],
    )
    with caplog.at_level("INFO"):
        into = prepared(changed, tmp_path)
    settings = json.loads((into / "generation_config.json").read_text())
    assert settings["eos_token_id"] == [0, 5]
    assert settings.keys().isdisjoint({"temperature", "top_p", "do_sample"})
    (line,) = [record for record in caplog.records if "sampling" in record.message]
    assert line.dropped == "temperature 0.6, top_p 0.9"


@pytest.mark.parametrize("method", ["gptq", "awq", "bitsandbytes", "fp8"])
def test_quantised_weights_are_refused_before_anything_is_loaded(changed, tmp_path, method):
    edit_json(changed / "config.json", quantization_config={"quant_method": method, "bits": 4})
    assert f"are quantised ({method})" in refusal(changed, tmp_path)
    with pytest.raises(BadInput, match="are quantised"):
        require(str(changed))


def test_a_family_that_transformers_does_not_know_is_named(changed, tmp_path):
    """Whether or not the model brings code of its own, which is not run."""
    code = {"AutoModelForCausalLM": "modeling_own.OwnForCausalLM"}
    edit_json(changed / "config.json", model_type="own", auto_map=code)
    assert "is of the family 'own', which transformers" in refusal(changed, tmp_path)


def test_a_missing_tokenizer_is_named(changed, tmp_path):
    (changed / "tokenizer.json").unlink()
    assert "has no tokenizer.json; add" in refusal(changed, tmp_path)


def test_a_tokenizer_that_cannot_be_converted_is_named_with_the_reason(changed, tmp_path):
    (changed / "tokenizer.json").unlink()
    (changed / "tokenizer.model").write_bytes(b"no model")
    assert "do not make one (" in refusal(changed, tmp_path)


def test_weights_of_another_vocabulary_are_named(changed, tmp_path):
    size = json.loads((changed / "config.json").read_text())["vocab_size"]
    edit_json(changed / "config.json", vocab_size=size + 50)
    reason = refusal(changed, tmp_path)
    assert f"embed_tokens.weight has the shape [{size}, 32]" in reason
    assert f"asks for [{size + 50}, 32]" in reason


def test_a_tokenizer_larger_than_the_embedding_is_named(changed, tmp_path):
    model = AutoModelForCausalLM.from_pretrained(changed)
    size = model.get_input_embeddings().num_embeddings
    model.resize_token_embeddings(size - 10)
    model.save_pretrained(changed)
    expected = f"ids up to {size - 1}, its weights only {size - 10} embeddings"
    assert expected in refusal(changed, tmp_path)


def test_weights_that_give_no_numbers_are_named(changed, tmp_path):
    model = AutoModelForCausalLM.from_pretrained(changed)
    with torch.no_grad():
        model.model.norm.weight.fill_(torch.nan)
    model.save_pretrained(changed)
    assert "no finite number" in refusal(changed, tmp_path)


def test_a_pointer_instead_of_a_file_is_named(changed, tmp_path):
    (changed / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(BadInput, match=r"model\.safetensors is only the pointer of git lfs"):
        find(str(changed))


def test_a_tokenizer_that_loses_spaces_is_named(changed, tmp_path):
    """As those made for single sentences do."""
    alone = open_tokenizer(changed)
    alone.normalizer = normalizers.Replace(Regex(r"\s+"), " ")
    alone.save(str(changed / "tokenizer.json"))
    reason = refusal(changed, tmp_path)
    assert "does not keep text" in reason
    assert "comes back as" in reason


def test_a_saved_model_that_goes_on_in_another_way_is_refused(base, tmp_path):
    source, tokenizer = find(str(base)), load_tokenizer(find(str(base)))
    model = AutoModelForCausalLM.from_pretrained(base)
    before = meaning_of(source, model, tokenizer)
    prove(source, base, before)
    other = shutil.copytree(base, tmp_path / "other")
    with torch.no_grad():
        model.model.layers[0].mlp.down_proj.weight.normal_(0, 3)
    model.save_pretrained(other)
    with pytest.raises(BadInput, match="continue a prompt in another way"):
        prove(source, other, before)


def test_a_saved_tokenizer_that_reads_other_ids_is_refused(base, tmp_path):
    source, tokenizer = find(str(base)), load_tokenizer(find(str(base)))
    before = meaning_of(source, AutoModelForCausalLM.from_pretrained(base), tokenizer)
    other = shutil.copytree(base, tmp_path / "other")
    alone = open_tokenizer(other)
    alone.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    alone.save(str(other / "tokenizer.json"))
    with pytest.raises(BadInput, match="reads a text as other ids"):
        prove(source, other, before)


def test_a_bad_base_ends_the_trainer_as_bad_input(changed, tmp_path):
    """In one line and with exit code 2, after which the supervisor starts nothing again."""
    edit_json(changed / "config.json", quantization_config={"quant_method": "gptq", "bits": 4})
    recipe = Recipe(name="run", home=str(tmp_path / "home"), model=ModelConfig(base=str(changed)))
    recipe.home_folder.mkdir()
    with open_database(recipe.database_url) as database:
        open_run(database, "run")
    file = tmp_path / "recipe.json"
    file.write_bytes(msgspec.json.encode(recipe))
    command = [sys.executable, "-m", "rstar_async.trainer", "--recipe", str(file), "--once"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 2
    assert done.stderr.strip().startswith("rstar: model.base: ")
    assert done.stderr.count("\n") == 1
