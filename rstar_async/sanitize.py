"""Text that a model or a program wrote, made safe for terminals, pages, JSON and UTF-8.

Such text may hold anything a Python string may: lone surrogates, which no encoding accepts, and
control characters, which a terminal obeys.
"""

from typing import Any

import msgspec

# Shown as their Unicode pictures; line ends and tabs stay.
_CONTROLS = {code: 0x2400 + code for code in range(32) if code not in (9, 10)}
_CONTROLS |= {127: 0x2421} | dict.fromkeys(range(128, 160), 0xFFFD)
# Bidirectional marks, which can make text look like other text.
_CONTROLS |= dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), 0xFFFD)


def without_surrogates(text: str) -> str:
    """The text with each lone surrogate replaced by U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def without_controls(text: str) -> str:
    """The text with all characters visible that would act on a terminal or turn the writing."""
    return without_surrogates(text).translate(_CONTROLS)


def to_json(value: Any) -> bytes:
    """`value` as JSON in UTF-8."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_without_surrogates(msgspec.to_builtins(value)))


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return without_surrogates(value)
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_surrogates(item) for item in value]
    return value
