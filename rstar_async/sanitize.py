"""Text that a model or a program wrote, made safe for terminals, pages, JSON and UTF-8.

Such text may hold anything a Python string may: lone surrogates, which no encoding accepts, and
control characters, which a terminal obeys.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from rstar_async.errors import BadInput

NAMES_SHOWN = 8
CHARACTERS_SHOWN = 80
MESSAGE_CHARACTERS = 1500

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")

# Shown as their Unicode pictures; line ends and tabs stay.
_CONTROLS = {code: 0x2400 + code for code in range(32) if code not in (9, 10)}
_CONTROLS |= {127: 0x2421} | dict.fromkeys(range(128, 160), 0xFFFD)
# Bidirectional marks, which can make text look like other text.
_CONTROLS |= dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), 0xFFFD)


def without_surrogates(text: str) -> str:
    """The text with each lone surrogate replaced by U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def without_controls(text: str) -> str:
    """The text with all characters visible that would act on a terminal or turn the writing."""
    return without_surrogates(text).translate(_CONTROLS)


def checked_name(text: str) -> str:
    """`text`, if it can name a file or folder in any other: letters, digits, `.`, `_` and `-`, not
    beginning with a sign; `BadInput` otherwise."""
    if not _NAME.fullmatch(text):
        raise BadInput(f"{text[:80]!r} is not a name: use letters, digits, '.', '_' and '-'")
    return text


def shown(text: str, most: int = CHARACTERS_SHOWN) -> str:
    """The text in quotation marks for a message: on one line, and cut if it is long."""
    return repr(text if len(text) <= most else f"{text[:most]}…")


def one_line(text: str, most: int = MESSAGE_CHARACTERS) -> str:
    """The text for a message: on one line, cut if it is long, with all characters visible."""
    line = " ".join(text[: most + 1].split())
    return without_controls(line if len(text) <= most else f"{line[:most]}…")


def listed(names: Iterable[object]) -> str:
    """The first few of the names for a message, and how many more there are; "nothing" if none."""
    every = [str(name) for name in names]
    some = ", ".join(shown(name) for name in every[:NAMES_SHOWN])
    more = len(every) - NAMES_SHOWN
    return f"{some} and {more:,} more" if more > 0 else some or "nothing"


def from_json(text: str | bytes) -> Any:
    """The value of a JSON text. `ValueError` says in a few words why there is none: also for
    numbers of thousands of digits and for brackets nested so deep that no reader follows."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at {_position(error)}") from None
    except RecursionError:
        raise ValueError("not JSON that can be read: it is nested too deep") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 text: byte {error.start}") from None
    except ValueError:  # Python's limit for the digits of an integer
        raise ValueError("not JSON that can be read: a number has thousands of digits") from None


def json_object(file: Path) -> dict[str, Any]:
    """The JSON object that somebody's file holds; one line of `BadInput` if it holds none."""
    try:
        content = from_json(file.read_bytes())
    except OSError as error:
        raise BadInput(f"cannot read {file}: {error.strerror}") from None
    except ValueError as error:
        raise BadInput(f"cannot read {file}: {error}") from None
    if not isinstance(content, dict):
        raise BadInput(f"cannot read {file}: it is no JSON object")
    return content


def _position(error: json.JSONDecodeError) -> str:
    line = f"line {error.lineno}, " if error.lineno > 1 else ""
    return f"{line}column {error.colno}"


def to_json(value: Any) -> bytes:
    """`value` as JSON in UTF-8."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(encodable(msgspec.to_builtins(value)))


def encodable(value: Any) -> Any:
    """Plain values with each lone surrogate in any text or key replaced by U+FFFD."""
    if isinstance(value, str):
        return without_surrogates(value)
    if isinstance(value, dict):
        return {encodable(key): encodable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [encodable(item) for item in value]
    return value
