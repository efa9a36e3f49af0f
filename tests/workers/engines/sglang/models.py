"""Model versions for the tests against a real SGLang server, with manifests as the trainer's."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForSequenceClassification,
)

from rstar_async.demo.tokenizer import END, PAD, tiny_tokenizer
from rstar_async.trainer.checkpoint_io import add_tensor
from rstar_async.trainer.publish import check
from scripts.demo_checkpoint.model import save_folder
from tests.workers.engines.tiny import lively

CONTEXT = 256
TOKENIZER = tiny_tokenizer()
VOCABULARY = TOKENIZER.get_vocab_size()
SHAPE = {
    "vocab_size": VOCABULARY,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": CONTEXT,
    "bos_token_id": None,
    "eos_token_id": TOKENIZER.token_to_id(END),
    "pad_token_id": TOKENIZER.token_to_id(PAD),
}
PROBE = [list(range(20, 50)), list(range(90, 60, -2))]


def write(folder: Path, model: PreTrainedModel, kind: str) -> Path:
    """In half precision, as the demo's, with its probe's values."""
    save_folder(model, TOKENIZER, folder)
    if isinstance(model, Qwen2ForSequenceClassification):
        add_tensor(folder, "score.bias", torch.zeros(1))
    probe = {"input_ids": PROBE, "values": check(folder, kind, PROBE)}
    (folder / "manifest.json").write_text(json.dumps({"probe": probe}))
    return folder


def write_policies(root: Path) -> None:
    """Two of one shape, one of another, and three that must be refused."""
    for name, seed in (("first", 1), ("second", 2)):
        write(root / name, lively(LlamaForCausalLM(LlamaConfig(**SHAPE)), seed), "policy")
    narrow = LlamaConfig(**{**SHAPE, "hidden_size": 32})
    write(root / "narrow", lively(LlamaForCausalLM(narrow), 3), "policy")
    weights = shutil.copytree(root / "second", root / "cut") / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    _edit_manifest(root, "mistaken", lambda probe: probe["values"].reverse())


def write_ppms(root: Path) -> None:
    one = {**SHAPE, "num_labels": 1}
    write(root / "llama", lively(LlamaForSequenceClassification(LlamaConfig(**one)), 4), "ppm")
    write(root / "qwen", lively(Qwen2ForSequenceClassification(Qwen2Config(**one)), 5), "ppm")
    write(root / "qwen-2", lively(Qwen2ForSequenceClassification(Qwen2Config(**one)), 6), "ppm")
    biasless = Qwen2ForSequenceClassification(Qwen2Config(**one))
    save_folder(lively(biasless, 7), TOKENIZER, root / "biasless")


def _edit_manifest(root: Path, name: str, edit: Callable[[dict], object]) -> None:
    folder = shutil.copytree(root / "second", root / name)
    manifest = json.loads((folder / "manifest.json").read_text())
    edit(manifest["probe"])
    (folder / "manifest.json").write_text(json.dumps(manifest))
