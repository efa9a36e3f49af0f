"""Whole runs of a recipe, as benchmarks need them: by the command, resumed if they are there."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def run_recipe(recipe: Path, home: Path, *settings: str) -> dict[str, Any]:
    """Run `recipe` in the folder `home`; returns what `rstar run --json` writes."""
    file = home.with_suffix(".json")
    outputs = ("--name", home.name, "--home", str(home), "--json", str(file))
    return rstar("run", str(recipe), *outputs, *settings, result=file)


def rstar(*arguments: str, result: Path) -> dict[str, Any]:
    """Run one command of ours; returns the JSON document that it writes to `result`."""
    command = [sys.executable, "-m", "rstar_async.cli", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    document: dict[str, Any] = json.loads(result.read_text())
    return document


@contextmanager
def runs_folder(keep: Path | None) -> Iterator[Path]:
    """`keep`, or a folder that is deleted at the end."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="rstar-runs-") as scratch:
        yield Path(scratch)
