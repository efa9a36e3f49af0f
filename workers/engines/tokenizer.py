"""Ids to text, as the trainer's and SGLang's tokenizers read the same folder."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from tokenizers import Tokenizer

from rstar_async.engines.errors import ModelUnavailable
from rstar_async.errors import BadInput
from rstar_async.text.tokenizer_file import FILE, open_tokenizer
from workers.engines.stops import Decode

Encode: TypeAlias = Callable[[str], list[int]]


def open_decoder(folder: Path) -> Decode:
    """`tokenizer.json` by the tokenizers library itself; other formats through transformers.

    transformers 5 may rebuild a family's own tokenizer over the file's, with other tokens.
    """
    if (folder / FILE).is_file():
        return _from_file(folder)
    return _from_transformers(folder)


def open_encoder(folder: Path) -> Encode:
    """Text to ids, tags as their own tokens; by `tokenizer.json` alone."""
    tokenizer = _read(folder)
    return lambda text: list(tokenizer.encode(text, add_special_tokens=False).ids)


def _from_file(folder: Path) -> Decode:
    tokenizer = _read(folder)
    return lambda tokens: str(tokenizer.decode(list(tokens), skip_special_tokens=False))


def _read(folder: Path) -> Tokenizer:
    try:
        return open_tokenizer(folder)
    except BadInput as error:
        raise ModelUnavailable(folder, str(error)) from error


def _from_transformers(folder: Path) -> Decode:
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError) as error:
        raise ModelUnavailable(folder, f"no usable tokenizer: {error}") from error

    def decode(tokens: Sequence[int]) -> str:
        return str(
            tokenizer.decode(
                list(tokens), skip_special_tokens=False, clean_up_tokenization_spaces=False
            )
        )

    return decode
