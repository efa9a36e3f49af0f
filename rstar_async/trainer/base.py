"""Prepares the base model once, in round 0: a model folder whose tokenizer has the tags as tokens.

A server cannot resize embeddings when it swaps weights, so the tags are added before the first
version is published, and every later version has the same tokenizer, byte for byte.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING

from rstar_async.errors import BadInput
from rstar_async.models.sources import Source, find
from rstar_async.text.tags import SPECIAL_TOKENS
from rstar_async.trainer.trainer_args import quiet


def prepare_base(base: str, into: Path) -> None:
    """Load `base` (see `Model.base`), add the missing tags, save model and tokenizer to `into`."""
    quiet()
    source = find(base)
    _refuse_other_tasks(source)
    model, tokenizer = _load(source)
    add_tags(model, tokenizer)
    model.save_pretrained(into)
    tokenizer.save_pretrained(into)


def _refuse_other_tasks(source: Source) -> None:
    """A classifier or an encoder would load too, with a random language head."""
    if source.gguf_file:
        return  # always a causal language model, and slow to read
    config = _read(source, lambda: AutoConfig.from_pretrained(source.place, **source.options))
    architectures = config.architectures or []
    causal = [name for name in architectures if name.endswith(("ForCausalLM", "LMHeadModel"))]
    if type(config) not in MODEL_FOR_CAUSAL_LM_MAPPING or (architectures and not causal):
        architecture = ", ".join(architectures) or config.model_type
        raise BadInput(f"model.base: {source} is {architecture}, not a causal language model")


def _load(source: Source) -> tuple[Any, Any]:
    tokenizer = _read(source, lambda: AutoTokenizer.from_pretrained(source.place, **source.options))
    if not tokenizer.is_fast:
        raise BadInput(f"model.base: {source} has no fast tokenizer (tokenizer.json)")
    model, report = _read(
        source,
        lambda: AutoModelForCausalLM.from_pretrained(
            source.place, dtype="float32", output_loading_info=True, **source.options
        ),
    )
    if report["missing_keys"]:
        missing = ", ".join(sorted(report["missing_keys"])[:3])
        raise BadInput(f"model.base: the weights of {source} lack {missing}")
    return model, tokenizer


def _read(source: Source, load: Any) -> Any:
    """`load()`; what transformers raises for a bad folder becomes a `BadInput` of one line."""
    try:
        return load()
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BadInput(f"model.base: cannot load {source}: {reason}") from error


def add_tags(model: Any, tokenizer: Any) -> None:
    """Make the tags special tokens, once. The embedding of a new tag starts at the mean of those of
    the tokens that spelt it, so that no two tags start equal."""
    spelling = {tag: tokenizer.encode(tag, add_special_tokens=False) for tag in SPECIAL_TOKENS}
    old_size = len(tokenizer)
    extra = [*tokenizer.extra_special_tokens]
    missing = [tag for tag in SPECIAL_TOKENS if tag not in extra]
    tokenizer.add_special_tokens({"extra_special_tokens": [*extra, *missing]})
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or SPECIAL_TOKENS[-1]
    rows = {tokenizer.convert_tokens_to_ids(tag): pieces for tag, pieces in spelling.items()}
    _set_embeddings(model, {row: pieces for row, pieces in rows.items() if row >= old_size})
    model.config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id


@torch.no_grad()
def _set_embeddings(model: Any, rows: Mapping[int, Sequence[int]]) -> None:
    """Set the embedding of each new id to the mean of some old ones. Models with spare rows are not
    resized; the matrix never shrinks."""
    needed = max(rows, default=-1) + 1
    if needed > model.get_input_embeddings().num_embeddings:
        model.resize_token_embeddings(needed, mean_resizing=False)
    for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
        for row, pieces in rows.items():
            old = layer.weight[list(pieces)] if pieces else layer.weight[: min(rows)]
            layer.weight[row] = old.mean(0)
