"""The ids that begin every prompt: those that a tokenizer puts before a text, such as `<s>`.

The manifest of a published version names them, so that versions that were trained without them keep
their prompts.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from tokenizers import Tokenizer

from rstar_async.text.tokenizer_file import open_tokenizer, read_json

BosIds: TypeAlias = tuple[int, ...]

MANIFEST = "manifest.json"
CONFIG = "tokenizer_config.json"


def bos_ids_of(folder: Path) -> BosIds:
    """What the prompts of the model in `folder` begin with: what its manifest says or, if it was
    not published by a run, what its tokenizer adds."""
    manifest = read_json(folder / MANIFEST)
    if manifest is not None and "prompt_style" in manifest:
        return bos_ids_in(manifest)
    return added_bos_ids(open_tokenizer(folder), read_json(folder / CONFIG) or {})


def bos_ids_in(manifest: Mapping[str, Any]) -> BosIds:
    """None for versions that were published before prompts began with BOS."""
    return tuple(manifest.get("bos_ids", ()))


def added_bos_ids(tokenizer: Tokenizer, config: Mapping[str, Any]) -> BosIds:
    """What transformers puts before a text: `add_bos_token` of tokenizer_config.json decides, and
    without it the post-processor of tokenizer.json."""
    adds = config.get("add_bos_token")
    if adds is None:
        return ids_before_text(tokenizer)
    bos = config.get("bos_token")
    text = bos.get("content") if isinstance(bos, dict) else bos
    found = tokenizer.token_to_id(text) if adds and isinstance(text, str) else None
    return () if found is None else (found,)


def ids_before_text(tokenizer: Tokenizer) -> BosIds:
    """The ids that the post-processor puts before a text."""
    plain: list[int] = tokenizer.encode("a", add_special_tokens=False).ids
    whole: list[int] = tokenizer.encode("a", add_special_tokens=True).ids
    starts = range(len(whole) - len(plain) + 1)
    start = next((i for i in starts if whole[i : i + len(plain)] == plain), 0)
    return tuple(whole[:start])
