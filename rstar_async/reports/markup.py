"""HTML and SVG from untrusted text: every text is escaped where it is inserted.

Only `tag` makes markup, and only its results are inserted unescaped.
"""

from collections.abc import Sequence
from html import escape
from typing import TypeAlias

from rstar_async.sanitize import without_controls

VOID = frozenset({"meta", "line", "rect", "circle", "polyline", "path", "br"})


class Markup(str):
    """Text that is already markup."""

    __slots__ = ()


Content: TypeAlias = "str | int | float | Sequence[Content] | None"


def tag(name: str, /, *children: Content, **attributes: str | int | float | None) -> Markup:
    """An element. `class_` is class, `_` in other names is `-`; attributes of None are left out."""
    written = "".join(
        f' {_name(key)}="{escape(without_controls(str(value)), quote=True)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID:
        return Markup(f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{_inside(children)}</{name}>")


def text(content: str) -> Markup:
    """Escaped text."""
    return Markup(escape(without_controls(content), quote=True))


def _inside(content: Content) -> str:
    if content is None:
        return ""
    if isinstance(content, Markup):
        return content
    if isinstance(content, str | int | float):
        return text(str(content))
    return "".join(map(_inside, content))


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")
