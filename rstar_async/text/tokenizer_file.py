"""A model's `tokenizer.json`, read by the tokenizers library alone.

transformers may rebuild a family's own tokenizer over the file's vocabulary, with other ids; so the
file is the truth in search, training and serving.
"""

import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from rstar_async.errors import BadInput

FILE = "tokenizer.json"


def open_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a model folder, which neither cuts texts nor pads them; `BadInput` if there
    is none or it cannot be read."""
    file = folder / FILE
    if not file.is_file():
        raise BadInput(f"{folder} has no {FILE}; is it a Hugging Face model folder?")
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises bare Exception
        raise BadInput(f"{file} cannot be read: {error}") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def read_json(file: Path) -> dict[str, Any] | None:
    """The object in a JSON file; None if there is no such file, `BadInput` if it is no object."""
    if not file.is_file():
        return None
    try:
        content = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise BadInput(f"{file} is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise BadInput(f"{file} is not a JSON object")
    return content
