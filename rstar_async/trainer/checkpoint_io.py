"""Model folders on disk: the tokenizer's files, checksums, tensors, durability."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from rstar_async.models.registry import sha256
from rstar_async.text.chat_template import FILE as CHAT_TEMPLATE
from rstar_async.text.encoding import Encoder

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    CHAT_TEMPLATE,
    "vocab.json",
    "merges.txt",
)
INDEX = "model.safetensors.index.json"


def copy_tokenizer(source: Path, target: Path) -> None:
    """Copy the tokenizer's files byte for byte: one run has one tokenizer."""
    for name in TOKENIZER_FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)


def save_chat_template(folder: Path, encoder: Encoder) -> None:
    """In place of the base's, if it had one: a trained policy knows this project's prompt alone."""
    (folder / CHAT_TEMPLATE).write_text(encoder.chat_template(), "utf-8")


def weight_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))


def add_tensor(folder: Path, name: str, tensor: torch.Tensor) -> None:
    """Add a tensor to the first of the folder's safetensors files, and to the index."""
    file = weight_files(folder)[0]
    save_file({**load_file(file), name: tensor}, file, metadata={"format": "pt"})
    index = folder / INDEX
    if index.is_file():
        content = json.loads(index.read_text())
        content["weight_map"][name] = file.name
        index.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")


def checksums(folder: Path) -> dict[str, dict[str, int | str]]:
    """Size and SHA-256 of every file but hidden ones, by name."""
    return {
        file.name: {"sha256": sha256(file), "bytes": file.stat().st_size}
        for file in sorted(folder.iterdir())
        if file.is_file() and not file.name.startswith(".")
    }


def weights_digest(folder: Path, run: str) -> str:
    """8 hex digits that identify the weights within a run; two runs in one database may start from
    the same base."""
    digests = [sha256(file) for file in weight_files(folder)]
    return hashlib.sha256("".join([run, *digests]).encode()).hexdigest()[:8]


def has_tensor(folder: Path, name: str) -> bool:
    for file in weight_files(folder):
        with safe_open(file, "pt") as weights:
            if name in weights.keys():  # noqa: SIM118 (not a mapping)
                return True
    return False


def let_others_read(folder: Path) -> None:
    """Make the files readable for workers that run as another user."""
    for file in folder.iterdir():
        file.chmod(0o644)


def make_durable(folder: Path) -> None:
    """Sync the folder and its files to disk."""
    for path in folder.iterdir():
        sync(path)
    sync(folder)


def sync(path: Path) -> None:
    """fsync a file, or a folder's list of names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
