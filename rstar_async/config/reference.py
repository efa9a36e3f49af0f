"""All settings of a recipe with types, bounds, defaults and comments, read from the sections.

`python -m rstar_async.config.reference > docs/settings.md` writes the page of the documentation;
`rstar settings` prints the same.
"""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from textwrap import dedent
from typing import Any

import msgspec
from msgspec.inspect import (
    BoolType,
    DictType,
    FloatType,
    IntType,
    LiteralType,
    StrType,
    StructType,
    Type,
    UnionType,
    VarTupleType,
)

from rstar_async.config.recipe import Recipe
from rstar_async.config.schema import bounds_of, fields_of

_PAGE = re.compile(r"docs/(\w+)\.md")
_FIELD = re.compile(r"([a-z_0-9]+): ")


@dataclass(frozen=True, slots=True)
class Setting:
    """`name` is dotted; `[]` in it stands for one of the `[[rounds]]`."""

    name: str
    values: str
    default: str
    comment: str

    @property
    def section(self) -> str:
        return self.name.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class SectionReference:
    """A section with its own settings; those of sections inside it have their own reference."""

    name: str
    summary: str
    settings: tuple[Setting, ...]


@cache
def sections() -> tuple[SectionReference, ...]:
    """In the order of the recipe; the settings without a section first."""
    return tuple(_sections(Recipe, "", "Settings of the whole run."))


def settings() -> list[Setting]:
    """All of them, section by section."""
    return [setting for section in sections() for setting in section.settings]


def markdown() -> str:
    """The page of the documentation."""
    return "\n".join(_lines()) + "\n"


def comments_of(section: type[msgspec.Struct]) -> dict[str, str]:
    """The comment right above each field in the source of a section."""
    found: dict[str, str] = {}
    above: list[str] = []
    for line in dedent(inspect.getsource(section)).splitlines()[1:]:
        text = line.strip()
        if text.startswith("# "):
            above.append(text[2:])
            continue
        if (field := _FIELD.match(text)) and above:
            found[field[1]] = " ".join(above)
        above = []
    return found


def values_of(kind: Type) -> str:
    """What a setting of this type may be, in words."""
    match kind:
        case BoolType():
            return "true or false"
        case IntType():
            return f"whole number {bounds_of(kind)}"
        case FloatType():
            return f"number {bounds_of(kind)}"
        case LiteralType():
            return _either([f'"{value}"' for value in kind.values])
        case StrType():
            return "text"
        case VarTupleType():
            return f"list; each: {values_of(kind.item_type)}"
        case DictType():
            return "table of options"
        case UnionType():
            return _either([values_of(one) for one in kind.types])
    raise TypeError(f"no words for {kind}")


def _sections(
    section: type[msgspec.Struct], prefix: str, summary: str
) -> Iterator[SectionReference]:
    kinds, comments = fields_of(section), comments_of(section)
    own, inner = [], []
    for field in msgspec.structs.fields(section):
        kind, name = kinds[field.name], prefix + field.name
        if isinstance(kind, StructType):
            inner.append((kind.cls, name))
        elif isinstance(kind, VarTupleType) and isinstance(kind.item_type, StructType):
            inner.append((kind.item_type.cls, f"{name}[]"))
        else:
            comment = comments.get(field.name, "")
            own.append(Setting(name, values_of(kind), _shown(_default(field)), comment))
    yield SectionReference(prefix.removesuffix("."), summary, tuple(own))
    for cls, name in inner:
        yield from _sections(cls, f"{name}.", _first_paragraph(cls.__doc__ or ""))


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return field.default
    return field.default_factory() if field.default_factory is not msgspec.NODEFAULT else None


def _shown(value: Any) -> str:
    if value is None:
        return "that of the run"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return "{}" if value == {} else str(value)


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _first_paragraph(text: str) -> str:
    return " ".join(text.split("\n\n")[0].split())


def _lines() -> Iterator[str]:
    yield "# Settings"
    yield ""
    yield (
        "Every setting of a recipe. In a TOML file it stands in its section; on the command line "
        "it is `--section.name VALUE`. `rstar settings NAME` prints the same. This page is "
        "generated: `python -m rstar_async.config.reference > docs/settings.md`."
    )
    for section in sections():
        if not section.settings:
            continue
        yield ""
        yield f"## {_title(section.name)}"
        yield ""
        yield section.summary
        yield ""
        yield "| setting | default | values | |"
        yield "|---|---|---|---|"
        for one in section.settings:
            comment = _PAGE.sub(r"[\1](\1.md)", one.comment)
            cells = (f"`{one.name}`", f"`{one.default}`", one.values, comment)
            yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _title(name: str) -> str:
    if not name:
        return "The run"
    return f"`[[{name.removesuffix('[]')}]]`" if name.endswith("[]") else f"`[{name}]`"


if __name__ == "__main__":
    print(markdown(), end="")
