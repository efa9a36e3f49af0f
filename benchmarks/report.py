"""What every benchmark has in common: its options, its rows, its claims, its exit code.

    def main(arguments: list[str] | None = None) -> int:
        report = open_report(__doc__, arguments)
        report.row(workers=4, jobs_per_second=rate)
        report.claim("jobs per second with 4 workers", rate, "jobs/s", ">=", 1000)
        return report.close()

A claim holds or not by the numbers of this very run. Exit code 1 says that one does not.
"""

import argparse
import importlib.metadata
import operator
import os
import platform
import sys
from datetime import datetime
from typing import Any, Literal

import msgspec
from rich.console import Console
from rich.table import Table

Comparison = Literal["<", "<=", "==", ">=", ">"]
Cell = str | int | float | bool | None

HOLDS = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}
PACKAGES = ("trio", "pyzmq", "msgspec", "sqlalchemy", "torch", "transformers", "sglang")


class Claim(msgspec.Struct, frozen=True):
    """One number, what it was to be, and whether it is."""

    name: str
    value: float
    unit: str
    target: str
    holds: bool


class Machine(msgspec.Struct, frozen=True):
    """Where and when the numbers were taken; `load` is that of the last minute, at the start."""

    date: str
    cores: int
    memory_gib: float
    load: float
    kernel: str
    versions: dict[str, str]


class Document(msgspec.Struct, frozen=True):
    """What `--json` prints."""

    machine: Machine
    rows: list[dict[str, Cell]]
    claims: list[Claim]


class Report:
    """Collects the rows and claims of one run. Made by `open_report`."""

    def __init__(self, title: str, options: argparse.Namespace) -> None:
        self.options = options
        self.short: bool = options.short
        self.rows: list[dict[str, Cell]] = []
        self.claims: list[Claim] = []
        self._title = title
        self._machine = machine()

    def row(self, **cells: Cell) -> None:
        """Add a row; columns appear in the order in which they were first named."""
        self.rows.append(cells)

    def claim(
        self, name: str, value: float, unit: str, comparison: Comparison, target: float
    ) -> None:
        """State that `value` compares to `target`; whether it does is found here, not given."""
        holds = bool(HOLDS[comparison](value, target))
        self.claims.append(Claim(name, value, unit, f"{comparison} {target:g}", holds))

    def document(self) -> Document:
        """What has been collected so far."""
        return Document(self._machine, self.rows, self.claims)

    def close(self) -> int:
        """Print everything; return the exit code."""
        if self.options.json:
            sys.stdout.buffer.write(msgspec.json.encode(self.document()) + b"\n")
        else:
            self._print()
        return 0 if all(claim.holds for claim in self.claims) else 1

    def _print(self) -> None:
        console = Console(width=None if sys.stdout.isatty() else 120)
        here = self._machine
        console.print(self._title, style="bold")
        console.print(f"{here.date}, {here.cores} cores, load {here.load:.2f}", style="dim")
        console.print(_rows_table(self.rows))
        console.print(_claims_table(self.claims))


def open_report(
    description: str | None,
    arguments: list[str] | None = None,
    parser: argparse.ArgumentParser | None = None,
) -> Report:
    """Parse the common options (and those of `parser`, as `report.options`) and begin a report."""
    parser = parser or argparse.ArgumentParser()
    parser.description = description
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    parser.add_argument("--short", action="store_true", help="less of everything; about a minute")
    title = (description or "").strip().partition("\n")[0]
    return Report(title, parser.parse_args(arguments))


def machine() -> Machine:
    """The facts of this machine, now."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Machine(
        date=datetime.now().astimezone().isoformat(timespec="seconds"),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(pages / 2**30, 1),
        load=os.getloadavg()[0],
        kernel=platform.release(),
        versions={"python": platform.python_version(), **_versions()},
    )


def _versions() -> dict[str, str]:
    found = {d.name.lower(): d.version for d in importlib.metadata.distributions() if d.name}
    return {name: found[name] for name in PACKAGES if name in found}


def _rows_table(rows: list[dict[str, Cell]]) -> Table:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    table = Table(*(column.replace("_", " ") for column in columns))
    for row in rows:
        table.add_row(*(show(row.get(column)) for column in columns))
    return table


def _claims_table(claims: list[Claim]) -> Table:
    table = Table("claim", "value", "unit", "target", "holds")
    for claim in claims:
        verdict = "yes" if claim.holds else "[bold red]NO[/]"
        table.add_row(claim.name, show(claim.value), claim.unit, claim.target, verdict)
    return table


def markdown(document: Document) -> list[str]:
    """The lines of two tables, claims and rows; no table for none."""
    claims = [
        [claim.name, show(claim.value), claim.unit, claim.target, show(claim.holds)]
        for claim in document.claims
    ]
    columns = list(dict.fromkeys(column for row in document.rows for column in row))
    rows = [[show(row.get(column)) for column in columns] for row in document.rows]
    return [
        *_lines(["claim", "value", "unit", "target", "holds"], claims),
        *_lines([column.replace("_", " ") for column in columns], rows),
    ]


def where(document: Document) -> str:
    """The machine and the versions, in one line."""
    here = document.machine
    versions = ", ".join(f"{name} {version}" for name, version in here.versions.items())
    return f"{here.date}, {here.cores} cores, load {here.load:.2f}; {versions}"


def _lines(columns: list[str], rows: list[list[str]]) -> list[str]:
    if not rows:
        return []
    lines = [columns, ["---"] * len(columns), *rows]
    return [*(f"| {' | '.join(line)} |" for line in lines), ""]


def show(value: Any) -> str:
    """A cell as people read it: four figures are enough, nothing is an empty cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and abs(value) < 1000:
        return f"{value:.4g}"
    return f"{value:,.0f}" if isinstance(value, int | float) else str(value)
