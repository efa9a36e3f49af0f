"""The tokenizer of a base model: read from its `tokenizer.json`, saved so that all read it alike.

transformers builds the tokenizer that the class name in `tokenizer_config.json` or the model's
family asks for, and takes only the vocabulary from the file. Where the name is wrong, as in several
widely used models, every space is lost. So the file itself is loaded here, whatever the name.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, processors
from transformers import AutoTokenizer, PreTrainedTokenizerFast
from transformers.models.auto.tokenization_auto import get_tokenizer_config
from transformers.utils.hub import cached_file

from rstar_async.errors import BadInput
from rstar_async.models.sources import Source
from rstar_async.text.bos import BosIds, added_bos_ids, bos_ids_of, ids_before_text
from rstar_async.text.tokenizer_file import FILE, open_tokenizer
from rstar_async.trainer.base_reading import one_line, reading

# Reads tokenizer.json as it is, in transformers 4 and 5.
CLASS = "PreTrainedTokenizerFast"
CONVERTIBLE = ("tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "tekken.json")
# Named like this, a file would be read instead of tokenizer.json, and has no tags.
OTHER_FORMATS = ("tokenizer.model", "vocab.json", "merges.txt")


@dataclass(frozen=True)
class BaseTokenizer:
    """`alone`: the file by the tokenizers library; `loaded`: by transformers; `bos_ids`: what it
    puts before a text."""

    alone: Tokenizer
    loaded: Any
    bos_ids: BosIds


def load_tokenizer(source: Source) -> BaseTokenizer:
    """The tokenizer of the source; `BadInput` if it has none that can be read."""
    with reading(source):
        file = _tokenizer_file(source)
    if file is None:
        return _converted(source)
    with reading(source):
        alone = open_tokenizer(file.parent)
        loaded = PreTrainedTokenizerFast.from_pretrained(source.place)
        return BaseTokenizer(alone, loaded, _bos_ids(source, alone))


def _tokenizer_file(source: Source) -> Path | None:
    """Its `tokenizer.json`, fetched from the hub if the source is there."""
    if source.gguf_file:
        return None
    found = cached_file(source.place, FILE, _raise_exceptions_for_missing_entries=False)
    return Path(found) if found else None


def _converted(source: Source) -> BaseTokenizer:
    """From another format, by transformers."""
    folder = Path(source.place)
    if not source.gguf_file and folder.is_dir() and not _has_any(folder, CONVERTIBLE):
        raise BadInput(f"model.base: {source} has no {FILE}; add the {FILE} of the model")
    try:
        loaded = AutoTokenizer.from_pretrained(source.place, **source.options)
        alone = loaded.backend_tokenizer
    except Exception as error:  # any of a dozen libraries' own exceptions
        raise BadInput(
            f"model.base: {source} has no {FILE}, and its other files do not make one "
            f"({one_line(error)}); add the {FILE} of the model"
        ) from error
    return BaseTokenizer(alone, loaded, ids_before_text(alone))


def _has_any(folder: Path, names: Iterable[str]) -> bool:
    return any((folder / name).is_file() for name in names)


def _bos_ids(source: Source, alone: Tokenizer) -> BosIds:
    if Path(source.place).is_dir():
        return bos_ids_of(Path(source.place))
    return added_bos_ids(alone, get_tokenizer_config(source.place))


def save_tokenizer(tokenizer: BaseTokenizer, into: Path) -> None:
    """Save it as one `tokenizer.json`, which puts BOS before a text and nothing after it, since a
    text is continued."""
    tokenizer.loaded.save_pretrained(into)
    for name in OTHER_FORMATS:
        (into / name).unlink(missing_ok=True)
    saved = open_tokenizer(into)
    plain = saved.encode("a", add_special_tokens=False).ids
    if saved.encode("a").ids != [*tokenizer.bos_ids, *plain]:
        saved.post_processor = _putting_before_text(saved, tokenizer.bos_ids)
    saved.save(str(into / FILE))
    _edit_config(into / "tokenizer_config.json")


def _putting_before_text(tokenizer: Tokenizer, bos_ids: BosIds) -> processors.TemplateProcessing:
    tokens = [tokenizer.id_to_token(bos) for bos in bos_ids]
    return processors.TemplateProcessing(
        single=[*tokens, "$A"],
        pair=[*tokens, "$A", "$B"],
        special_tokens=list(zip(tokens, bos_ids, strict=True)),
    )


def _edit_config(file: Path) -> None:
    """The class that reads the file as it is; what begins a text is in tokenizer.json alone."""
    config = json.loads(file.read_text("utf-8"))
    for name in ("add_bos_token", "add_eos_token", "backend"):
        config.pop(name, None)
    config["tokenizer_class"] = CLASS
    file.write_text(
        json.dumps(config, indent=2, ensure_ascii=False, sort_keys=True) + "\n", "utf-8"
    )
