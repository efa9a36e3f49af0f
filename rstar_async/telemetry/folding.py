"""Text for people: folded between words in a terminal, as it is in a pipe or a file."""

import os
import sys
from textwrap import fill
from typing import TextIO

USUAL_COLUMNS = 80


def folded(text: str, stream: TextIO, indent: str = "") -> str:
    """`text` as it suits `stream`. In a terminal no line is wider than the window, save one with a
    longer word such as a path; folded lines begin with `indent`."""
    if not stream.isatty():
        return text
    return folded_to(_columns(stream), text, indent)


def folded_to(columns: int, text: str, indent: str = "") -> str:
    """Each line of `text` in lines of at most `columns` characters; words stay whole."""
    return "\n".join(
        line if len(line) <= columns else _fill(line, columns, indent) for line in text.split("\n")
    )


def say(line: str) -> None:
    """`rstar: LINE` on standard error, where it does not mix with results."""
    print(folded(f"rstar: {line}", sys.stderr), file=sys.stderr, flush=True)


def _fill(line: str, columns: int, indent: str) -> str:
    return fill(
        line,
        columns,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or USUAL_COLUMNS
    except OSError:
        return USUAL_COLUMNS
