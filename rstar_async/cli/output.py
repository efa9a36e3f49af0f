"""Tables that stay readable in a pipe, where the width is unknown; JSON files."""

import json
import sys
from pathlib import Path
from typing import TextIO

import msgspec
from rich.console import Console
from rich.table import Table

from rstar_async.cli.narrow_tables import fitted
from rstar_async.errors import BadInput
from rstar_async.telemetry.folding import folded, say

PIPE_COLUMNS = 200
LABEL = 11


def print_table(table: Table, *, may_wrap: bool = False) -> None:
    """Print to standard output; in a terminal in a shape that fits its width, cells on several
    lines where they `may_wrap`."""
    console = Console()
    if console.is_terminal:
        console.print(fitted(table, console, may_wrap=may_wrap))
    else:
        Console(width=PIPE_COLUMNS).print(table)


def print_folded(text: str) -> None:
    """A paragraph, in a terminal folded between words."""
    print(folded(text, sys.stdout))


def print_labelled(label: str, text: str, stream: TextIO | None = None) -> None:
    """A line `label   text`, on standard output if no other `stream` is given; in a terminal folded
    between words, the text below itself."""
    stream = stream or sys.stdout
    print(folded(f"{label:{LABEL}}{text}", stream, " " * LABEL), file=stream)


def note(line: str) -> None:
    """Say `line`, if there is one."""
    if line:
        say(line)


def write_json(file: Path, content: msgspec.Struct) -> None:
    """Write one indented JSON document; `BadInput` if the file cannot be written."""
    write_text(file, json_text(content))


def json_text(content: msgspec.Struct) -> str:
    """Encode in ASCII: a model's text may hold what UTF-8 cannot, such as half a surrogate pair."""
    return json.dumps(msgspec.to_builtins(content), indent=2) + "\n"


def write_text(file: Path, text: str) -> None:
    """Write a file; `BadInput` names it if it cannot be written."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot write {file}: {error.strerror}") from None
