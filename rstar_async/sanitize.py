"""Text that a model or a program wrote, on its way out: to JSON, to a terminal, to UTF-8.

It may hold anything a Python string may: halves of characters, which no encoding can say, and
control characters, which a terminal would obey.
"""

from typing import Any

import msgspec

# As their pictures, so that they are seen and do nothing; line ends and tabs stay.
_CONTROLS = {code: 0x2400 + code for code in range(32) if code not in (9, 10)}
_CONTROLS |= {127: 0x2421} | dict.fromkeys(range(128, 160), 0xFFFD)
# Marks that turn the direction of writing, and so can make text look like other text.
_CONTROLS |= dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), 0xFFFD)


def whole(text: str) -> str:
    """The text with halves of characters replaced by U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def for_terminal(text: str) -> str:
    """The text so that a terminal shows it and obeys nothing in it."""
    return whole(text).translate(_CONTROLS)


def to_json(value: Any) -> bytes:
    """`value` as JSON in UTF-8."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_whole(msgspec.to_builtins(value)))


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(item) for item in value]
    return value
