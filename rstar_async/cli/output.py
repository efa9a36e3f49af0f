"""Tables that stay readable in a pipe, where the width is unknown; JSON files."""

import json
import sys
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from rstar_async.errors import BadInput

PIPE_COLUMNS = 160


def print_table(table: Table) -> None:
    """Print to standard output, in a terminal at its width."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPE_COLUMNS)
    console.print(table)


def note(line: str) -> None:
    """Say `line`, if there is one, where it does not mix with results."""
    if line:
        print(f"rstar: {line}", file=sys.stderr)


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
