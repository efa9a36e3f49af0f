"""How large a model is, read from its files without loading it."""

import json
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from rstar_async.models.sources import find

HEADER_BYTES = 8


@dataclass(frozen=True, slots=True)
class ModelSize:
    """`parameters` in all; layers, width and vocabulary are 0 where they are not known."""

    parameters: int
    layers: int = 0
    width: int = 0
    vocabulary: int = 0


def size_of(base: str) -> ModelSize | None:
    """Of the model that `model.base` names; None if its files are not on this machine."""
    source = find(base)
    folder = _cached(source.place) if source.is_on_hub else Path(source.place)
    if folder is None:
        return None
    if source.gguf_file:
        return _in_gguf(folder / source.gguf_file)
    config = _config(folder)
    parameters = _in_safetensors(folder) or _by_shape(config)
    if not parameters:
        return None
    return ModelSize(
        parameters,
        int(config.get("num_hidden_layers", 0)),
        int(config.get("hidden_size", 0)),
        int(config.get("vocab_size", 0)),
    )


def _cached(name: str) -> Path | None:
    """The folder of a hub's model in the local cache."""
    from huggingface_hub import try_to_load_from_cache

    file = try_to_load_from_cache(name, "config.json")
    return Path(file).parent if isinstance(file, str) else None


def _config(folder: Path) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError):
        return {}
    inner = config.get("text_config")
    return {**config, **inner} if isinstance(inner, dict) else config


def _in_safetensors(folder: Path) -> int:
    """The sum over the headers of all weight files."""
    return sum(_elements(file) for file in sorted(folder.glob("*.safetensors")))


def _elements(file: Path) -> int:
    with file.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(HEADER_BYTES))
        header = json.loads(stream.read(length))
    return sum(prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__")


def _in_gguf(file: Path) -> ModelSize | None:
    """None without the package that reads such files."""
    try:
        from gguf import GGUFReader
    except ImportError:
        return None
    reader = GGUFReader(file)
    elements = {tensor.name: int(tensor.n_elements) for tensor in reader.tensors}

    def value(name: str) -> Any:
        """Empty if the file does not tell."""
        return reader.fields[name].contents() if name in reader.fields else ""

    architecture = value("general.architecture")
    width = int(value(f"{architecture}.embedding_length") or 0)
    vocabulary = elements.get("token_embd.weight", 0) // width if width else 0
    layers = int(value(f"{architecture}.block_count") or 0)
    return ModelSize(sum(elements.values()), layers, width, vocabulary)


def _by_shape(config: dict[str, Any]) -> int:
    """Of a decoder with gated feed-forward layers, as most are; 0 if the config lacks its shape."""
    try:
        layers, width = int(config["num_hidden_layers"]), int(config["hidden_size"])
        inner, vocabulary = int(config["intermediate_size"]), int(config["vocab_size"])
        heads = int(config["num_attention_heads"])
    except (KeyError, TypeError, ValueError):
        return 0
    head = int(config.get("head_dim") or width // heads)
    groups = int(config.get("num_key_value_heads") or heads)
    attention = 2 * width * head * heads + 2 * width * head * groups
    embeddings = vocabulary * width * (1 if config.get("tie_word_embeddings") else 2)
    return layers * (attention + 3 * width * inner + 2 * width) + embeddings + width
