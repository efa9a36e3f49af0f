"""Checks of a store: those of the database itself and our own invariants. Only reads."""

from collections.abc import Callable, Iterator

import msgspec
import sqlalchemy as sa

from storage.maintenance.invariants import RULES, Rule

MAX_EXAMPLES = 5


class Finding(msgspec.Struct, frozen=True):
    """One rule; `offenders` counts the rows that break it, `examples` names some of them."""

    rule: str
    offenders: int
    examples: list[str]


def check(
    connection: sa.Connection, on_finding: Callable[[Finding], None] = lambda finding: None
) -> list[Finding]:
    """The findings of all rules, also of those that hold; calls `on_finding` with each at once.

    Reads everything. PostgreSQL enforces its own constraints. A SQLite file is checked by SQLite
    first; if it is corrupt, our rules are not run.
    """
    findings = []
    for finding in _findings(connection):
        on_finding(finding)
        findings.append(finding)
    return findings


def _findings(connection: sa.Connection) -> Iterator[Finding]:
    if connection.dialect.name == "sqlite":
        whole = _pragma(connection, "the file is whole", "integrity_check")
        yield whole
        if whole.offenders:
            return
        yield _pragma(connection, "what is referred to exists", "foreign_key_check")
    for rule in RULES:
        yield _check_rule(connection, rule)


def _check_rule(connection: sa.Connection, rule: Rule) -> Finding:
    rows = connection.execute(
        sa.text(f"SELECT * FROM ({rule.sql}) AS offenders LIMIT {MAX_EXAMPLES}")
    )
    examples = [str(row[0]) for row in rows]
    count = len(examples)
    if count == MAX_EXAMPLES:
        count = connection.scalar(sa.text(f"SELECT count(*) FROM ({rule.sql}) AS offenders")) or 0
    return Finding(rule.statement, count, examples)


def _pragma(connection: sa.Connection, statement: str, name: str) -> Finding:
    try:
        rows = [tuple(row) for row in connection.exec_driver_sql(f"PRAGMA {name}")]
    except sa.exc.DatabaseError as error:  # too corrupt to be checked
        connection.rollback()
        rows = [(str(error.orig),)]
    lines = [" ".join(map(str, row)) for row in rows if row != ("ok",)]
    return Finding(statement, len(lines), lines[:MAX_EXAMPLES])
