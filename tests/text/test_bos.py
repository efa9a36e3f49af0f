import json

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

from rstar_async.errors import BadInput
from rstar_async.text.bos import bos_ids_of
from rstar_async.text.encoding import Encoder
from rstar_async.text.tags import SPECIAL_TOKENS

BOS, EOS = 0, 1


def tokenizer(single: str = "<s> $A") -> Tokenizer:
    """Bytes, two special tokens and the tags; `single` is what it makes of a text."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(
        models.BPE({token: i for i, token in enumerate(["<s>", "</s>", *alphabet])}, [])
    )
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(["<s>", "</s>", *SPECIAL_TOKENS])
    made.post_processor = processors.TemplateProcessing(
        single=single, special_tokens=[("<s>", BOS), ("</s>", EOS)]
    )
    return made


def folder_with(folder, made, config=None, manifest=None):
    made.save(str(folder / "tokenizer.json"))
    if config is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    if manifest is not None:
        (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.mark.parametrize(
    ("single", "config", "ids"),
    [
        ("<s> $A", None, (BOS,)),
        ("<s> $A </s>", None, (BOS,)),
        ("$A </s>", None, ()),
        ("$A", None, ()),
        ("</s> <s> $A", None, (EOS, BOS)),
        ("<s> $A", {"add_bos_token": False, "bos_token": "<s>"}, ()),
        ("$A", {"add_bos_token": True, "bos_token": "<s>"}, (BOS,)),
        ("$A", {"add_bos_token": True, "bos_token": {"content": "<s>"}}, (BOS,)),
        ("$A", {"add_bos_token": True, "bos_token": None}, ()),
        ("$A", {"bos_token": "<s>"}, ()),
    ],
)
def test_prompts_begin_with_what_the_tokenizer_adds(tmp_path, single, config, ids):
    folder = folder_with(tmp_path, tokenizer(single), config)
    assert bos_ids_of(folder) == ids
    for style in ("tagged", "few_shot"):
        encoder, bare = Encoder.load(folder, style), Encoder.load(folder, style, bos_ids=())
        assert encoder.prompt("3 + 4?") == [*ids, *bare.prompt("3 + 4?")]
        assert encoder.shared_prefix_length == len(ids) + bare.shared_prefix_length
        assert encoder.step("x = 1") == bare.step("x = 1")


@pytest.mark.parametrize(
    ("manifest", "ids"),
    [
        ({"prompt_style": "tagged"}, ()),
        ({"prompt_style": "tagged", "bos_ids": []}, ()),
        ({"prompt_style": "tagged", "bos_ids": [BOS]}, (BOS,)),
        ({"name": "of something else"}, (BOS,)),
    ],
)
def test_a_published_version_keeps_the_prompts_that_it_was_trained_with(tmp_path, manifest, ids):
    assert Encoder.load(folder_with(tmp_path, tokenizer(), None, manifest), "tagged").bos_ids == ids


def test_no_text_is_cut_or_padded(tmp_path):
    made = tokenizer()
    made.enable_truncation(8)
    made.enable_padding(length=64)
    encoder = Encoder.load(folder_with(tmp_path, made), "tagged")
    text = "x = 1\n" * 20
    assert encoder.decode(encoder.step(text)) == text
    assert len(encoder.step("x")) == 1


@pytest.mark.parametrize("content", ["", "{", "version https://git-lfs.github.com/spec/v1\n"])
def test_a_tokenizer_that_cannot_be_read_is_named(tmp_path, content):
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(BadInput, match=r"tokenizer\.json cannot be read") as refused:
        Encoder.load(tmp_path, "tagged")
    assert "\n" not in str(refused.value)
