"""Random models of a few thousand weights, written as real checkpoints."""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen2ForSequenceClassification,
)

VOCABULARY = 64
CONTEXT = 160
SHAPE = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": CONTEXT,
    "bos_token_id": None,
    "eos_token_id": None,
    "pad_token_id": None,
}
TOKEN_BYTES = 2 * 2 * 2 * 8 * 4  # layers, keys and values, heads, head size, fp32
PIECES = ("ab", "c\nd", "<end>", " x", "é", "yz\n\n")


def lively(model: PreTrainedModel, seed: int) -> PreTrainedModel:
    """Weights large enough that every token matters to the next one."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.normal_(0, 0.35, generator=generator)
    return model.eval()


def tokenizer() -> Tokenizer:
    """One piece of text a token; some tokens hold a stop text inside."""
    vocabulary = {f"{PIECES[i % len(PIECES)]}{i}": i for i in range(VOCABULARY)}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token=next(iter(vocabulary))))
    made.decoder = decoders.Fuse()
    return made


def write(folder: Path, model: PreTrainedModel) -> Path:
    model.save_pretrained(folder)
    tokenizer().save(str(folder / "tokenizer.json"))
    return folder


def write_generators(root: Path) -> None:
    write(root / "llama", lively(LlamaForCausalLM(LlamaConfig(**SHAPE)), 1))
    write(root / "llama-2", lively(LlamaForCausalLM(LlamaConfig(**SHAPE)), 2))
    write(root / "qwen", lively(Qwen2ForCausalLM(Qwen2Config(**SHAPE)), 3))
    sliding = MistralConfig(**SHAPE, sliding_window=8)
    write(root / "sliding", lively(MistralForCausalLM(sliding), 4))


def write_scorers(root: Path) -> None:
    one = {**SHAPE, "num_labels": 1}
    write(root / "llama-ppm", lively(LlamaForSequenceClassification(LlamaConfig(**one)), 5))
    write(root / "qwen-ppm", lively(Qwen2ForSequenceClassification(Qwen2Config(**one)), 6))
    sliding = Qwen2Config(**one, use_sliding_window=True, sliding_window=8, max_window_layers=1)
    write(root / "sliding-ppm", lively(Qwen2ForSequenceClassification(sliding), 7))
    two = {**SHAPE, "num_labels": 2}
    write(root / "two-labels", lively(LlamaForSequenceClassification(LlamaConfig(**two)), 8))


def edit_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
