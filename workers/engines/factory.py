"""From the name of an engine to the engine, opened as a worker's command line says."""

import argparse
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, cast

import msgspec

from rstar_async.engines.registry import EngineSpec, engine_names, find_engine
from rstar_async.engines.sglang_servers import ModelPool
from rstar_async.errors import BadInput
from workers.engines.base import Engine, Scorer
from workers.engines.options import add_settings, settings_of

COMMON = ("models", "engine", "rows")


class NoSettings(msgspec.Struct, frozen=True):
    """Of an engine that names none."""


class Checked(Protocol):
    """Settings may have this method."""

    def check(self) -> None:
        """Raise `BadInput` for what cannot work, before the engine is opened."""


class ModelOptions(msgspec.Struct, frozen=True):
    """Which models a worker serves, and by what."""

    pool: ModelPool
    engine: EngineSpec
    models: Path
    rows: int
    settings: msgspec.Struct

    @classmethod
    def of(cls, pool: ModelPool, options: argparse.Namespace) -> "ModelOptions":
        """What the command line asks for; `BadInput` if it cannot work."""
        engine = find_engine(options.engine)
        if not engine.opener(pool):
            verb = "generate text" if pool == "inference" else "score steps"
            raise BadInput(f"the engine {engine.name} does not {verb}")
        if not options.models.is_dir():
            raise BadInput(f"there is no folder of models {options.models}")
        settings = settings_of(options, _settings_type(engine))
        if hasattr(settings, "check"):
            cast("Checked", settings).check()
        return cls(pool, engine, options.models, options.rows, settings)

    @property
    def capacity(self) -> int:
        """How many requests to take at once."""
        # A request of the policy has several samples; a few more than fit keep the engine busy.
        return max(2, self.rows // 4) if self.pool == "inference" else self.rows

    def open(self) -> Engine | Scorer:
        """The engine, for use as a context manager."""
        opener = resolve(self.engine, self.engine.opener(self.pool))
        return cast("Engine | Scorer", opener(self.models, self.settings))


def add_engine_options(parser: argparse.ArgumentParser, engine: str) -> None:
    """The options of a worker that serves models by `engine`."""
    parser.add_argument("--models", type=Path, required=True, help="folder of model versions")
    parser.add_argument("--engine", default="local", help=f"{', '.join(engine_names())} [local]")
    parser.add_argument("--rows", type=positive, default=128, help="sequences computed at once")
    spec = find_engine(engine)
    add_settings(parser, f"engine {engine}: {spec.summary}", _settings_type(spec), COMMON)


def _settings_type(engine: EngineSpec) -> type[msgspec.Struct]:
    if not engine.settings:
        return NoSettings
    return cast("type[msgspec.Struct]", resolve(engine, engine.settings))


def resolve(engine: EngineSpec, target: str) -> Callable[..., Any]:
    module, _, attribute = target.partition(":")
    try:
        return cast("Callable[..., Any]", getattr(importlib.import_module(module), attribute))
    except (ImportError, AttributeError) as error:
        raise BadInput(f"the engine {engine.name} cannot be opened: {error}") from error


def number(text: str) -> int:
    """An argument from 0 up."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 up")
    return int(text)


def positive(text: str) -> int:
    """An argument from 1 up."""
    if number(text) == 0:
        raise argparse.ArgumentTypeError("must be above 0")
    return int(text)
