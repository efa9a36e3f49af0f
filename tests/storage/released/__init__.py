"""Rows of real runs, one file for each released revision, as the code of that revision wrote them.

`0001.jsonl` is part of a small run on the demo's model: five searches and all rows that refer to
them. Each line is a table and a row of it; blobs are hexadecimal.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command

from storage import engines, migrations

FOLDER = Path(__file__).parent
REVISIONS = [script.revision for script in migrations._scripts().walk_revisions()][::-1]


def upgrade_to(engine: sa.Engine, revision: str) -> None:
    with engine.begin() as connection:
        config = migrations._config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def fill(engine: sa.Engine, revision: str) -> None:
    """A store of `revision` that was upgraded step by step, with the rows written at each step."""
    for step in REVISIONS[: REVISIONS.index(revision) + 1]:
        upgrade_to(engine, step)
        insert(engine, rows_of(step))


def insert(engine: sa.Engine, rows: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Write rows of named tables as they are, whatever the revision of the store."""
    reflected = sa.MetaData()
    with engine.begin() as connection:
        for name, row in rows:
            table = sa.Table(name, reflected, autoload_with=connection)
            connection.execute(table.insert(), _native(table, row))


def fill_store(url: str) -> None:
    """Put part of a real run into the new store at `url`, which then has the latest revision."""
    engine = engines.writer(engines.parse(url))
    fill(engine, migrations.latest())
    engine.dispose()


def rows_of(revision: str) -> Iterator[tuple[str, dict[str, Any]]]:
    file = FOLDER / f"{revision}.jsonl"
    yield from map(json.loads, file.read_text().splitlines() if file.exists() else ())


def _native(table: sa.Table, row: dict[str, Any]) -> dict[str, Any]:
    def native(value: Any, kind: Any) -> Any:
        if value is not None and isinstance(kind, sa.LargeBinary):
            return bytes.fromhex(value)
        if value is not None and isinstance(kind, sa.Boolean):
            return bool(value)
        return value

    return {name: native(value, table.c[name].type) for name, value in row.items()}
