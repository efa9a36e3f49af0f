"""Prepares the base model once, in round 0: a model folder whose tokenizer has the tags as tokens.

A server cannot resize embeddings when it swaps weights, so the tags are added before the first
version is published, and every later version has the same tokenizer, byte for byte. What the folder
means is proven after it was saved.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig, PreTrainedConfig
from transformers import __version__ as VERSION
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING

from rstar_async.engines.exact_attention import with_exact_attention
from rstar_async.errors import BadInput
from rstar_async.models.sources import Source, find, refuse_quantised
from rstar_async.text.tags import SPECIAL_TOKENS
from rstar_async.trainer.base_proof import Meaning, meaning_of, prove
from rstar_async.trainer.base_reading import reading
from rstar_async.trainer.base_tokenizer import BaseTokenizer, load_tokenizer, save_tokenizer
from rstar_async.trainer.trainer_args import quiet

log = logging.getLogger(__name__)

# Of generation_config.json only these are kept. What a run samples by is in its recipe, and servers
# would take anything else there for a default.
KEPT_GENERATION_SETTINGS = ("bos_token_id", "eos_token_id", "pad_token_id")
SAMPLING_SETTINGS = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")


def prepare_base(base: str, into: Path) -> None:
    """Load `base` (see `Model.base`), add the missing tags, save model and tokenizer to `into`.

    `BadInput` says in one line why a base cannot be used, or that what was saved reads a text or
    continues a prompt in another way than the base does.
    """
    quiet()
    source = find(base)
    _refuse_other_tasks(source)
    before = _prepare(source, into)
    prove(source, into, before)


def _prepare(source: Source, into: Path) -> Meaning:
    """Save the prepared folder; what the base meant before anything was changed."""
    tokenizer = load_tokenizer(source)
    model = _load_model(source)
    _refuse_other_vocabulary(source, model, tokenizer)
    before = meaning_of(source, model, tokenizer)
    add_tags(model, tokenizer.loaded)
    _keep_token_ids_only(source, model)
    with reading(source, "save"):
        model.save_pretrained(into)
        save_tokenizer(tokenizer, into)
    return before


def _refuse_other_tasks(source: Source) -> None:
    """A classifier or an encoder would load too, with a random language head."""
    if source.gguf_file:
        return  # always a causal language model, and slow to read
    with reading(source):
        content, _ = PreTrainedConfig.get_config_dict(source.place)
    refuse_quantised(source, content)
    if (family := content.get("model_type")) not in CONFIG_MAPPING:
        raise BadInput(
            f"model.base: {source} is of the family {family!r}, which transformers {VERSION} does "
            "not know, and code that comes with a model is not run; use a model of a known family"
        )
    with reading(source):
        config = AutoConfig.from_pretrained(source.place)
    architectures = config.architectures or []
    causal = [name for name in architectures if name.endswith(("ForCausalLM", "LMHeadModel"))]
    if type(config) not in MODEL_FOR_CAUSAL_LM_MAPPING or (architectures and not causal):
        architecture = ", ".join(architectures) or config.model_type
        raise BadInput(
            f"model.base: {source} is {architecture}, not a causal language model; use one whose "
            "config.json names a class that ends with ForCausalLM"
        )


def _load_model(source: Source) -> Any:
    with reading(source):
        model, report = AutoModelForCausalLM.from_pretrained(
            source.place,
            dtype="float32",
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # reported below, by name
            **source.options,
        )
    if report["missing_keys"]:
        missing = ", ".join(sorted(report["missing_keys"])[:3])
        raise BadInput(f"model.base: the weights of {source} lack {missing}")
    if report["mismatched_keys"]:
        name, in_file, by_config = sorted(report["mismatched_keys"])[0]
        raise BadInput(
            f"model.base: in the weights of {source}, {name} has the shape {list(in_file)}, but "
            f"its config.json asks for {list(by_config)}; they are of different models"
        )
    return with_exact_attention(model.eval())


def _refuse_other_vocabulary(source: Source, model: Any, tokenizer: BaseTokenizer) -> None:
    """Ids of the vocabulary proper need an embedding. Tokens added to it may lack one: real
    language models share the tokenizer of a larger model that reads images too."""
    rows = model.get_input_embeddings().num_embeddings
    largest = max(tokenizer.alone.get_vocab(with_added_tokens=False).values(), default=-1)
    if largest >= rows:
        raise BadInput(
            f"model.base: the tokenizer of {source} has ids up to {largest}, its weights only "
            f"{rows} embeddings; they are of different models"
        )


def _keep_token_ids_only(source: Source, model: Any) -> None:
    settings = model.generation_config
    dropped = [
        f"{name} {getattr(settings, name)}"
        for name in SAMPLING_SETTINGS
        if getattr(settings, name, None) is not None
    ]
    if dropped:
        facts = {"base": str(source), "dropped": ", ".join(dropped)}
        log.info("generation_config.json: sampling is what the recipe says", extra=facts)
    kept = {name: getattr(settings, name, None) for name in KEPT_GENERATION_SETTINGS}
    model.generation_config = GenerationConfig(**kept)


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
    needed, old = max(rows, default=-1) + 1, model.get_input_embeddings().num_embeddings
    if needed > old:
        model.resize_token_embeddings(needed, mean_resizing=False)
    for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
        layer.weight[old:needed] = layer.weight[:old].mean(0)
        for row, pieces in rows.items():
            if known := [piece for piece in pieces if piece < old]:
                layer.weight[row] = layer.weight[known].mean(0)
