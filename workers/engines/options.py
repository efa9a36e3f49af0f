"""An engine's settings as options of a worker's command line.

Every field of the settings struct is one option: `cache_mib: int` is `--cache-mib`. The option's
help is the description in the field's `Annotated[..., Meta(description=...)]`.
"""

import argparse
import typing
from collections.abc import Collection
from typing import Any, TypeVar

import msgspec
from msgspec.structs import FieldInfo, fields

from rstar_async.errors import BadInput

Settings = TypeVar("Settings", bound=msgspec.Struct)


def add_settings(
    parser: argparse.ArgumentParser,
    title: str,
    settings: type[msgspec.Struct],
    known: Collection[str],
) -> None:
    """Add an option for every field that is not among the `known` options."""
    group = parser.add_argument_group(title)
    hints = typing.get_type_hints(settings, include_extras=True)
    for field in fields(settings):
        if field.name not in known:
            help_text = _help(hints[field.name], field)
            group.add_argument(_option(field.name), default=argparse.SUPPRESS, help=help_text)


def settings_of(options: argparse.Namespace, settings: type[Settings]) -> Settings:
    """The given settings; `BadInput` names an option that is missing or has an unusable value."""
    given = vars(options)
    values = {field.name: given[field.name] for field in fields(settings) if field.name in given}
    for field in fields(settings):
        if field.required and field.name not in given:
            raise BadInput(f"the engine needs the option {_option(field.name)}")
    try:
        return msgspec.convert(values, settings, strict=False)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$.")
        raise BadInput(f"{_option(place.rstrip('`'))}: {reason}") from None


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _help(hint: Any, field: FieldInfo) -> str:
    meta = [extra for extra in typing.get_args(hint) if isinstance(extra, msgspec.Meta)]
    text = meta[0].description or "" if meta else ""
    shown = f"{text} [{field.default}]" if field.default not in (None, "") else text
    return shown.replace("%", "%%")


def check_url(option: str, url: str) -> None:
    """`BadInput` unless `url` is an HTTP address."""
    if not url.startswith(("http://", "https://")):
        raise BadInput(f"{option} {url} is no http:// or https:// address")
