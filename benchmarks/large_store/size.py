"""How large a store is, and what PostgreSQL does in the background until it is so large."""

from typing import NamedTuple

import psycopg
import sqlalchemy as sa

from storage.tables import metadata, nodes


class Size(NamedTuple):
    """Bytes of all tables with their indexes, and the number of nodes."""

    bytes: int
    nodes: int


def size_of(connection: sa.Connection) -> Size:
    """Pages that SQLite could reuse do not count."""
    count = connection.scalar(sa.select(sa.func.count()).select_from(nodes)) or 0
    if connection.dialect.name == "sqlite":
        used = "SELECT (page_count - freelist_count) * page_size"
        found = f"{used} FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
        return Size(connection.scalar(sa.text(found)) or 0, count)
    sizes = (
        connection.scalar(sa.select(sa.func.pg_total_relation_size(name))) or 0
        for name in metadata.tables
    )
    return Size(sum(sizes), count)


def vacuum(url: str) -> None:
    """What a server has done by itself by the time that a run has stored so much."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"VACUUM (ANALYZE) {', '.join(metadata.tables)}".encode())
