"""The report's tables as Markdown; text that models wrote is escaped. Pure."""

import re
from collections.abc import Iterator

from rstar_async.reports import tables
from rstar_async.reports.contents import Report
from rstar_async.reports.tables import Table
from rstar_async.sanitize import without_controls

_ACTIVE = re.compile(r"([\\`*_{}\[\]()#!|~])")


def markdown_of(report: Report) -> str:
    """The whole document."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"# rStar report: {escaped(report.run)}"
    yield ""
    yield f"seed {report.seed}, version {escaped(report.code_version)}, {report.seconds:,.0f} s"
    for table in (
        tables.rounds_table([facts.row for facts in report.rounds]),
        tables.heldout_table(report),
        *(tables.test_time_table(found) for found in report.test_time),
        tables.coverage_table(report),
        tables.rollouts_table(report),
        tables.pairs_table(report),
        tables.labels_table([facts.row for facts in report.rounds]),
        tables.training_table(report),
        tables.endings_table(report),
        tables.errors_table(report),
        tables.cost_table(report),
    ):
        yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    if not table.rows:
        return
    yield from ("", f"## {escaped(table.title)}", "", _row(table.header))
    yield _row(["---", *["---:"] * (len(table.header) - 1)], raw=True)
    yield from map(_row, table.rows)


def _row(cells: list[str], *, raw: bool = False) -> str:
    return f"| {' | '.join(cells if raw else map(escaped, cells))} |"


def escaped(text: str) -> str:
    """The text on one line, without any markup of Markdown or HTML."""
    line = " ".join(without_controls(text).split()) or " "
    escaped = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _ACTIVE.sub(r"\\\1", escaped)
