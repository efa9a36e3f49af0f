"""Rows of JSON lines, JSON, CSV and TSV files. A byte order mark is passed over."""

import codecs
import csv
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rstar_async.data.rows import OnBad, Rows
from rstar_async.errors import BadInput
from rstar_async.sanitize import encodable, from_json, listed

# What may be half of a surrogate pair, as JSON spells it.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def jsonl_rows(path: Path, on_bad: OnBad) -> Rows:
    """Line by line, because a file of trees may not fit into memory."""
    for number, line in _lines(path):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            row = _value(line)
        except ValueError as error:
            on_bad(BadInput(f"{where}: {error}"))
            continue
        yield from _object(where, row, on_bad)


def json_rows(path: Path, on_bad: OnBad) -> Rows:
    """A list, or `{"example": [...]}` as in the reference code."""
    try:
        document = _value(_content(path))
    except ValueError as error:
        raise BadInput(f"{path}: {error}") from None
    rows = document.get("example") if isinstance(document, dict) else document
    if not isinstance(rows, list):
        raise BadInput(f'{path}: expected a list of problems, or {{"example": [...]}}')
    for number, row in enumerate(rows, start=1):
        yield from _object(f"{path}, problem {number}", row, on_bad)


def table_rows(path: Path, on_bad: OnBad) -> Rows:
    """CSV, or TSV by the file's name, with the columns' names in the first line."""
    csv.field_size_limit(sys.maxsize)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    # Bytes that are not UTF-8 become surrogates, by which their row is known.
    text = (line.decode(errors="surrogateescape") for _, line in _lines(path))
    records = csv.reader(text, delimiter=delimiter, strict=True)
    columns: list[str] = []
    try:
        for record in records:
            where = f"{path}:{records.line_num}"
            if not columns:
                columns = _header(where, record)
            elif record:
                yield from _record(where, columns, record, on_bad)
    except csv.Error as error:
        raise BadInput(f"{path}:{records.line_num}: {error}") from None


def _header(where: str, names: list[str]) -> list[str]:
    if repeated := [name for name, times in Counter(names).items() if times > 1]:
        raise BadInput(f"{where}: several columns are named {listed(repeated)}")
    return names


def _record(where: str, columns: list[str], record: list[str], on_bad: OnBad) -> Rows:
    if len(record) != len(columns):
        on_bad(BadInput(f"{where}: {len(record):,} values for {len(columns):,} columns"))
    elif not all(map(_is_text, record)):
        on_bad(BadInput(f"{where}: it is not UTF-8 text"))
    else:
        yield where, dict(zip(columns, record, strict=True))


def _is_text(cell: str) -> bool:
    return cell.isascii() or not any("\ud800" <= character <= "\udfff" for character in cell)


def _object(where: str, row: Any, on_bad: OnBad) -> Rows:
    if isinstance(row, dict):
        yield where, row
    else:
        on_bad(BadInput(f"{where}: expected an object with a question and an answer"))


def _value(content: bytes) -> Any:
    """`ValueError` says why it cannot be read."""
    try:
        value = from_json(content.decode())
        return encodable(value) if _SURROGATE.search(content) else value
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 text (byte {error.start:,})") from None
    except RecursionError:
        raise ValueError("not JSON that can be read: it is nested too deep") from None


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                yield number, line if number > 1 else _without_mark(path, line)
    except OSError as error:
        raise BadInput(f"cannot read problems from {path}: {error.strerror}") from None


def _content(path: Path) -> bytes:
    try:
        return _without_mark(path, path.read_bytes())
    except OSError as error:
        raise BadInput(f"cannot read problems from {path}: {error.strerror}") from None


def _without_mark(path: Path, start: bytes) -> bytes:
    if start.startswith(_UTF16):
        raise BadInput(f"{path} is UTF-16 text: save it as UTF-8")
    return start.removeprefix(codecs.BOM_UTF8)
