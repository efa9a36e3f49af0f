"""File formats. Each function writes pages of rows and returns how many rows there were.

Text that a model wrote must not act when a file is opened: in CSV, text that a spreadsheet would
take for a formula gets an apostrophe in front, as OWASP advises.
"""

import csv
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa

from rstar_async.errors import BadInput
from rstar_async.sanitize import without_surrogates
from storage.column_types import Flag, Tokens

Format: TypeAlias = Literal["jsonl", "csv", "parquet"]
Pages: TypeAlias = Iterable[list[dict[str, Any]]]

# Also behind blanks, and in the full-width forms that some spreadsheets treat alike.
_FORMULA = re.compile(r"\s*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def write_jsonl(table: sa.Table, pages: Pages, file: Path) -> int:
    """One object a line, in ASCII: every character survives, lone surrogates too."""
    count = 0
    with file.open("w", encoding="ascii") as out:
        for page in pages:
            out.writelines(json.dumps(row, separators=(",", ":")) + "\n" for row in page)
            count += len(page)
    return count


def write_csv(table: sa.Table, pages: Pages, file: Path) -> int:
    """RFC 4180, every text quoted; JSON as text, tokens separated by blanks."""
    count = 0
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC)
        writer.writerow(column.name for column in table.columns if column.computed is None)
        for page in pages:
            writer.writerows(map(_cell, row.values()) for row in page)
            count += len(page)
    return count


def write_parquet(table: sa.Table, pages: Pages, file: Path) -> int:
    """Typed columns; needs pyarrow, which comes with the extra `train`."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ModuleNotFoundError:
        raise BadInput("Parquet needs pyarrow: pip install 'rstar-async[train]'") from None
    schema = pa.schema(
        [(c.name, _arrow_type(pa, c.type)) for c in table.columns if c.computed is None]
    )
    count = 0
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for page in pages:
            plain = [{name: _plain(value) for name, value in row.items()} for row in page]
            writer.write_table(pa.Table.from_pylist(plain, schema))
            count += len(page)
    return count


FORMATS: dict[Format, Callable[[sa.Table, Pages, Path], int]] = {
    "jsonl": write_jsonl,
    "csv": write_csv,
    "parquet": write_parquet,
}


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    value = _plain(value)
    return without_formula(value) if isinstance(value, str) else value


def without_formula(text: str) -> str:
    """The text so that no spreadsheet evaluates it and no reader stops at a NUL."""
    text = text.replace("\0", "\ufffd")
    return f"'{text}" if _FORMULA.match(text) else text


def _plain(value: Any) -> Any:
    """JSON as text, and lone surrogates as U+FFFD."""
    if isinstance(value, dict):
        return json.dumps(value)
    if isinstance(value, str):
        return without_surrogates(value)
    return value


def _arrow_type(pa: Any, kind: Any) -> Any:
    if isinstance(kind, Tokens):
        return pa.list_(pa.int32())
    if isinstance(kind, Flag):
        return pa.bool_()
    if isinstance(kind, sa.BigInteger):
        return pa.int64()
    return pa.float64() if isinstance(kind, sa.Double) else pa.string()
