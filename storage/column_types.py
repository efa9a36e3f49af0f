"""Column types that work alike on SQLite and PostgreSQL: a value read equals the value written.

SQLite tables are STRICT, so that a value of a wrong type is an error there too.
"""

import json
import re
import struct
from typing import Any, get_args

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from rstar_async.sanitize import from_json, shown

Integer: sa.types.TypeEngine[int] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Real: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")


class Unreadable(ValueError):
    """A stored value that no column of its type can hold: the store is damaged."""


_ESCAPE = "\U0010fffd"
_UNSAFE = re.compile(f"[\x00\ud800-\udfff{_ESCAPE}]")
_ESCAPED = re.compile(f"{_ESCAPE}([0-9a-f]{{6}})")


def _escape(text: str) -> str:
    if text.isascii() and "\x00" not in text:
        return text
    return _UNSAFE.sub(lambda found: f"{_ESCAPE}{ord(found[0]):06x}", text)


def _unescape(text: str) -> str:
    if text.isascii() or _ESCAPE not in text:
        return text
    try:
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    except ValueError:
        raise Unreadable("an escaped character is none") from None


class UntrustedText(sa.types.TypeDecorator[str]):
    """Text that a model or a program wrote: any Python string.

    PostgreSQL cannot store NUL, and neither database a lone surrogate. Such a character is stored
    as U+10FFFD and six hex digits, and read back as it was.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else _escape(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else _unescape(value)


class Choice(sa.types.TypeDecorator[str]):
    """One of the values of a `Literal`; writing anything else raises `ValueError`."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, literal: Any) -> None:
        super().__init__()
        self.words: tuple[str, ...] = get_args(literal)

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is not None and value not in self.words:
            raise ValueError(f"{value!r} is not one of {', '.join(self.words)}")
        return value

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        if value is not None and value not in self.words:
            raise Unreadable(f"{shown(value)} is not one of {', '.join(self.words)}")
        return value


class Flag(sa.types.TypeDecorator[bool]):
    """true, false or NULL; 1 and 0 on SQLite, whose STRICT tables have no BOOLEAN."""

    impl = sa.Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        return sa.Integer() if dialect.name == "sqlite" else sa.Boolean()

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> bool | None:
        if value is not None and not isinstance(value, bool):
            raise TypeError(f"{value!r} is not a bool")
        return value

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:
        return None if value is None else bool(value)


class Json(sa.types.TypeDecorator[dict[str, Any]]):
    """A JSON object, kept as text; NaN and infinities are refused."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return _escape(json.dumps(value, allow_nan=False, ensure_ascii=False))

    def process_result_value(self, value: str | None, dialect: Dialect) -> dict[str, Any] | None:
        if value is None:
            return None
        try:
            found = from_json(_unescape(value))
        except ValueError as error:
            raise Unreadable(str(error)) from None
        if not isinstance(found, dict):
            raise Unreadable("a JSON value is no object")
        return found


class Tokens(sa.types.TypeDecorator[tuple[int, ...]]):
    """Token ids as int32, little-endian."""

    impl = sa.LargeBinary
    cache_ok = True

    def process_bind_param(self, value: tuple[int, ...] | None, dialect: Dialect) -> bytes | None:
        return None if value is None else struct.pack(f"<{len(value)}i", *value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> tuple[int, ...] | None:
        try:
            return None if value is None else struct.unpack(f"<{len(value) // 4}i", value)
        except struct.error:
            raise Unreadable(f"{len(value or b'')} bytes are no token ids") from None
