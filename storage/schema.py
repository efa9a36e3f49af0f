"""Writes `docs/schema.md` from the tables: `python -m storage.schema > docs/schema.md`."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from storage import tables, views
from storage.column_types import Choice, Flag, Json, Tokens, UntrustedText
from storage.example_queries import EXAMPLES

_INTRODUCTION = """\
# The store

Everything that a run did is in one database: SQLite (a file) or PostgreSQL, with the same tables.
This page is generated: `python -m storage.schema > docs/schema.md`.

Open a SQLite store with `sqlite3 -readonly store.db` (version 3.37 or newer), also while a search
is running. Conventions:

- A *path* names a node within its tree: `0` is the root, `0.1` its first child, `0.1.3` …
- Times (`…_at`) are seconds since 1970, UTC: `datetime(x, 'unixepoch')` or `to_timestamp(x)`.
- *flag* is true, false or NULL for unknown (1 and 0 in SQLite). *json* is kept as text.
- *tokens* are int32, little-endian. Q is `value_sum / visits`.
- Models and programs may write characters that databases cannot store (NUL, lone surrogates). They
  are stored as U+10FFFD and six hex digits; `storage.queries` returns the original.
"""

_TYPES: tuple[tuple[type[Any], str], ...] = (
    (Flag, "flag"),
    (Tokens, "tokens"),
    (Json, "json"),
    (UntrustedText, "text"),
    (Choice, "text"),
    (sa.Text, "text"),
    (sa.BigInteger, "integer"),
    (sa.Double, "real"),
)


def markdown() -> str:
    """The whole page."""
    parts = [_INTRODUCTION, "\n## Tables\n"]
    parts += [_table(table) for table in tables.metadata.tables.values()]
    parts += ["\n## Views\n"]
    parts += [_table(view) for view in views.metadata.tables.values()]
    parts += ["\n## Example queries\n"]
    parts += [f"\n### {title}\n\n```sql\n{sql.strip()}\n```\n" for title, sql in EXAMPLES]
    return "".join(parts)


def _table(table: sa.Table) -> str:
    lines = [
        f"\n### {table.name}\n",
        table.comment or "",
        "",
        "| column | type | |",
        "|---|---|---|",
    ]
    lines += [
        f"| {_name(column)} | {_type(column)} | {'; '.join(_remarks(column))} |"
        for column in table.columns
    ]
    indexes = sorted(", ".join(index.columns.keys()) for index in table.indexes)
    if indexes:
        lines += ["", f"Indexes: {' · '.join(f'({names})' for names in indexes)}"]
    return "\n".join(lines) + "\n"


def _name(column: sa.Column[Any]) -> str:
    return f"**{column.name}**" if column.primary_key else column.name


def _type(column: sa.Column[Any]) -> str:
    name = next(name for kind, name in _TYPES if isinstance(column.type, kind))
    is_optional = column.nullable and column.table.metadata is tables.metadata
    return f"{name}?" if is_optional else name


def _remarks(column: sa.Column[Any]) -> Iterator[str]:
    if column.comment:
        yield column.comment
    constraints = column.table.foreign_key_constraints
    yield from sorted({f"→ {c.referred_table.name}" for c in constraints if column in [*c.columns]})


if __name__ == "__main__":
    print(markdown(), end="")
