"""Model folders in the shape of well-known families: configs, tokenizers and class names as theirs,
with a few thousand random weights."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer
from transformers import (
    Gemma2Config,
    Gemma3TextConfig,
    LlamaConfig,
    MistralConfig,
    Phi3Config,
    PreTrainedConfig,
    Qwen2Config,
    Qwen3Config,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING

from tests.families.tokenizers_of import byte_level, gpt2_like, sentencepiece

CONTEXT = 512
SHAPE = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": CONTEXT,
}
LLAMA3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 500000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 128,
}


@dataclass(frozen=True)
class Family:
    """How a family's folder looks. `bos`: what its tokenizer puts before a text; `eos`: the ends
    that generation_config.json names; `spare_rows`: embeddings without a token."""

    tokenizer: Callable[[], Tokenizer]
    config: Callable[..., PreTrainedConfig]
    tokenizer_config: Mapping[str, Any]
    bos: str | None
    eos: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    generation: Mapping[str, Any] = field(default_factory=dict)
    spare_rows: int = 0


def _phi3_tokenizer() -> Tokenizer:
    tokenizer = sentencepiece(("<unk>", "<s>", "</s>"), "<s>", prefix=True)
    names = ("<|endoftext|>", "<|assistant|>", "<|system|>", "<|end|>", "<|user|>")
    tokenizer.add_special_tokens([AddedToken(n, normalized=False, rstrip=True) for n in names])
    return tokenizer


def _gemma3_tokenizer() -> Tokenizer:
    tokenizer = sentencepiece(GEMMA, "<bos>", prefix=False)
    tokenizer.add_special_tokens(["<image_soft_token>"])
    return tokenizer


GEMMA = ("<pad>", "<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>")
LLAMA3 = ("<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>")
QWEN = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_BAR = "\uff5c"  # full width
DEEPSEEK = tuple(
    f"<{_BAR}{name}{_BAR}>"
    for name in ("begin▁of▁sentence", "end▁of▁sentence", "User", "Assistant")
)
QWEN_CLASS = {
    "tokenizer_class": "Qwen2Tokenizer",
    "add_bos_token": False,
    "bos_token": None,
    "eos_token": "<|im_end|>",
    "pad_token": "<|endoftext|>",
}
DEEPSEEK_CLASS = {
    "tokenizer_class": "LlamaTokenizerFast",
    "add_bos_token": True,
    "add_eos_token": False,
    "bos_token": {"__type": "AddedToken", "content": DEEPSEEK[0], "normalized": True},
    "eos_token": DEEPSEEK[1],
    "legacy": True,
}
LLAMA2_CLASS = {
    "tokenizer_class": "LlamaTokenizer",
    "add_bos_token": True,
    "add_eos_token": False,
    "bos_token": "<s>",
    "eos_token": "</s>",
    "unk_token": "<unk>",
    "legacy": False,
}
GEMMA_CLASS = {
    "tokenizer_class": "GemmaTokenizer",
    "add_bos_token": True,
    "add_eos_token": False,
    "bos_token": "<bos>",
    "eos_token": "<eos>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
}

FAMILIES = {
    "llama-2": Family(
        lambda: sentencepiece(("<unk>", "<s>", "</s>"), "<s>", prefix=True),
        LlamaConfig,
        LLAMA2_CLASS,
        bos="<s>",
        eos=("</s>",),
        generation={"do_sample": False, "temperature": 0.6, "top_p": 0.9},
    ),
    "llama-3": Family(
        lambda: byte_level(LLAMA3, r"\p{N}{1,3}", LLAMA3[0]),
        LlamaConfig,
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": LLAMA3[0],
            "eos_token": LLAMA3[2],
        },
        bos=LLAMA3[0],
        eos=LLAMA3[1:],
        settings={"rope_parameters": LLAMA3_ROPE},
        generation={"do_sample": True, "temperature": 0.6, "top_p": 0.9},
    ),
    "qwen-2.5": Family(
        lambda: byte_level(QWEN),
        Qwen2Config,
        QWEN_CLASS,
        bos=None,
        eos=("<|im_end|>", "<|endoftext|>"),
        settings={"tie_word_embeddings": True},
        generation={"do_sample": True, "repetition_penalty": 1.05, "top_k": 20},
        spare_rows=200,
    ),
    "qwen-3": Family(
        lambda: byte_level(QWEN),
        Qwen3Config,
        QWEN_CLASS,
        bos=None,
        eos=("<|im_end|>",),
        spare_rows=200,
    ),
    "phi-3": Family(
        _phi3_tokenizer,
        Phi3Config,
        {**LLAMA2_CLASS, "add_bos_token": False, "eos_token": "<|endoftext|>"},
        bos=None,
        eos=("<|endoftext|>", "<|end|>"),
        settings={"sliding_window": 64},
        spare_rows=16,
    ),
    "gemma-2": Family(
        lambda: sentencepiece(GEMMA, "<bos>", prefix=False),
        Gemma2Config,
        GEMMA_CLASS,
        bos="<bos>",
        eos=("<eos>",),
        settings={
            "sliding_window": 48,
            "query_pre_attn_scalar": 8,
            "attn_logit_softcapping": 0.5,
        },
    ),
    "gemma-3": Family(
        _gemma3_tokenizer,
        Gemma3TextConfig,
        {**GEMMA_CLASS, "extra_special_tokens": {"image_token": "<image_soft_token>"}},
        bos="<bos>",
        eos=("<eos>", "<end_of_turn>"),
        settings={"sliding_window": 48, "query_pre_attn_scalar": 8},
        spare_rows=-1,
    ),
    "mistral": Family(
        lambda: sentencepiece(("<unk>", "<s>", "</s>"), "<s>", prefix=True),
        MistralConfig,
        LLAMA2_CLASS,
        bos="<s>",
        eos=("</s>",),
        settings={"sliding_window": 64},
    ),
    "deepseek-distill-qwen": Family(
        lambda: byte_level(DEEPSEEK, r"\p{N}{1,3}"),
        Qwen2Config,
        DEEPSEEK_CLASS,
        bos=DEEPSEEK[0],
        eos=(DEEPSEEK[1],),
        generation={"do_sample": True, "temperature": 0.6, "top_p": 0.95},
        spare_rows=100,
    ),
    "deepseek-distill-llama": Family(
        lambda: byte_level(DEEPSEEK, r"\p{N}{1,3}", DEEPSEEK[0]),
        LlamaConfig,
        DEEPSEEK_CLASS,
        bos=DEEPSEEK[0],
        eos=(DEEPSEEK[1],),
        settings={"rope_parameters": LLAMA3_ROPE},
    ),
    "smollm-2": Family(
        lambda: gpt2_like(QWEN),
        LlamaConfig,
        {
            "tokenizer_class": "GPT2Tokenizer",
            "bos_token": "<|im_start|>",
            "eos_token": "<|im_end|>",
            "pad_token": "<|im_end|>",
            "unk_token": "<|endoftext|>",
        },
        bos=None,
        eos=("<|im_end|>",),
        settings={"tie_word_embeddings": True},
    ),
}


def write(name: str, folder: Path) -> Path:
    """The folder of a family's stand-in."""
    family = FAMILIES[name]
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = family.tokenizer()
    ends = [tokenizer.token_to_id(end) for end in family.eos]
    model = _model(family, tokenizer)
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    _write_json(folder / "tokenizer_config.json", family.tokenizer_config)
    _write_json(
        folder / "generation_config.json",
        {"eos_token_id": ends if len(ends) > 1 else ends[0], **family.generation},
    )
    return folder


def _model(family: Family, tokenizer: Tokenizer) -> Any:
    torch.manual_seed(len(family.eos) + tokenizer.get_vocab_size())
    config = family.config(
        vocab_size=tokenizer.get_vocab_size() + family.spare_rows,
        bos_token_id=None if family.bos is None else tokenizer.token_to_id(family.bos),
        eos_token_id=tokenizer.token_to_id(family.eos[0]),
        pad_token_id=None,
        **{**SHAPE, **family.settings},
    )
    model = MODEL_FOR_CAUSAL_LM_MAPPING[family.config](config)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.normal_(0, 0.2)
    return model


def _write_json(file: Path, content: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(content))
