"""`rstar db`: looking after a database. Bring it up to date, check, prune, export, read back."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rstar_async.cli.numbers import whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from storage.maintenance.integrity import Finding
    from storage.maintenance.pruning import Selection, TextUsage

SEARCHES_AT_ONCE = 32


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, (act, text, add_own) in ACTIONS.items():
        own = actions.add_parser(name, help=text, description=act.__doc__)
        own.add_argument("database", help="database URL, SQLite file, or folder of a run")
        own.add_argument("--json", action="store_true", help="print one JSON document")
        add_own(own)


def run(arguments: argparse.Namespace) -> int:
    """Do one of `ACTIONS`."""
    act, _, _ = ACTIONS[arguments.action]
    return act(arguments)


def upgrade(arguments: argparse.Namespace) -> int:
    """Create a database, or bring one to this version in place. Nothing is lost; doing it twice
    changes nothing."""
    from storage import migrations
    from storage.database import open_database
    from storage.sums.keeping import keep_missing

    with open_database(_place(arguments.database)) as database:
        keep_missing(database)
        told = {"database": database.name, "schema": migrations.latest()}
    _say(arguments, told, f"{told['database']} is up to date: schema {told['schema']}")
    return 0


def check(arguments: argparse.Namespace) -> int:
    """Check that nothing is damaged or missing: exit code 1 and the offenders' names if it is.
    Reads everything, so a large store takes minutes."""
    from rich.console import Console

    from rstar_async.cli.locate import open_existing
    from rstar_async.sanitize import without_controls
    from storage.maintenance.integrity import check as findings_of

    console = Console(quiet=arguments.json)

    def tell(finding: "Finding") -> None:
        console.print(
            without_controls(_verdict(finding)), markup=False, highlight=False, soft_wrap=True
        )

    with open_existing(arguments.database) as database:
        name = database.name
        findings = database.read(findings_of, tell)
    broken = sum(finding.offenders > 0 for finding in findings)
    summary = f"{name} is sound" if not broken else f"{name}: {broken} of {len(findings)} fail"
    _say(arguments, {"database": name, "sound": not broken, "findings": findings}, summary)
    return 1 if broken else 0


def prune(arguments: argparse.Namespace) -> int:
    """Remove from closed rounds the texts and tokens of steps that taught nothing. Numbers stay,
    and so does every word on the way to a right answer or a preference: what models were trained
    on. Only shows what would go, unless --apply is given."""
    from rstar_async.cli.locate import open_existing
    from storage.maintenance import pruning

    wanted = _selection(arguments)
    with open_existing(arguments.database) as database:
        found = database.read(pruning.searches_to_prune, wanted)
        if arguments.apply:
            parts = [
                part
                for batch in _batches(found)
                for part in database.change(pruning.prune_each, batch)
            ]
            if arguments.shrink:
                database.shrink()
        else:
            parts = [database.read(pruning.prunable_texts, search) for search in found]
    _say(arguments, _pruned(parts, applied=arguments.apply), _summary(parts, arguments.apply))
    return 0


def export(arguments: argparse.Namespace) -> int:
    """Write the whole store into a new folder, a file a table: JSON lines, which `rstar db import`
    reads back, or CSV or Parquet for other programs."""
    from rstar_async.cli.locate import open_existing
    from storage.maintenance.export import export as write

    with open_existing(arguments.database) as database:
        written = database.read(write, arguments.folder, arguments.format, arguments.tables)
    lines = [f"{rows:>10,}  {table}" for table, rows in written.rows.items()]
    _say(arguments, written, "\n".join([*lines, f"written to {arguments.folder}"]))
    return 0


def read_back(arguments: argparse.Namespace) -> int:
    """Add what an export in JSON lines holds; what is there already stays as it is. So a store
    moves from SQLite to PostgreSQL, or two stores become one."""
    from storage.database import open_database
    from storage.maintenance.imports import read_back as store

    with open_database(_place(arguments.database)) as database:
        rows = store(database, arguments.folder)
    lines = [f"{count:>10,}  {table}" for table, count in rows.items()]
    _say(arguments, {"rows": rows}, "\n".join([*lines, f"stored in {arguments.database}"]))
    return 0


def _prune_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", help="only this run")
    parser.add_argument(
        "--round", type=whole(0), action="append", help="only this round; repeatable"
    )
    parser.add_argument("--purpose", choices=["train", "evaluation"], help="only these searches")
    parser.add_argument("--status", choices=["finished", "failed"], help="only these searches")
    parser.add_argument("--apply", action="store_true", help="do it")
    parser.add_argument(
        "--shrink", action="store_true", help="with --apply: make a SQLite file smaller at once"
    )


def _export_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="a new folder")
    parser.add_argument("--format", choices=["jsonl", "csv", "parquet"], default="jsonl")
    parser.add_argument("--tables", nargs="+", metavar="TABLE", help="only these; views too")


def _import_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="what `rstar db export` wrote")


def _no_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing but the database."""


ACTIONS = {
    "upgrade": (upgrade, "create it, or bring it to this version", _no_arguments),
    "check": (check, "is anything damaged or missing? exit code 1 if so", _no_arguments),
    "prune": (prune, "let go of words that taught nothing", _prune_arguments),
    "export": (export, "all of it as JSON lines, CSV or Parquet", _export_arguments),
    "import": (read_back, "add what an export holds", _import_arguments),
}


def _place(text: str) -> str:
    """A database that need not exist yet."""
    from rstar_async.cli.locate import database_url

    return database_url(text) if Path(text).is_dir() else text


def _batches(searches: "Sequence[str]") -> "Iterator[Sequence[str]]":
    for start in range(0, len(searches), SEARCHES_AT_ONCE):
        yield searches[start : start + SEARCHES_AT_ONCE]


def _selection(arguments: argparse.Namespace) -> "Selection":
    from rstar_async.errors import BadInput
    from storage.maintenance.pruning import Selection

    if arguments.shrink and not arguments.apply:
        raise BadInput("--shrink goes with --apply: without it nothing is changed")
    return Selection(arguments.run, arguments.round, arguments.purpose, arguments.status)


def _verdict(finding: "Finding") -> str:
    if not finding.offenders:
        return f"  ok  {finding.rule}"
    more = finding.offenders - len(finding.examples)
    named = [*finding.examples, *([f"and {more:,} more"] if more else [])]
    return "\n        ".join([f"FAIL  {finding.rule}", *named])


def _pruned(parts: "list[TextUsage]", *, applied: bool) -> dict[str, object]:
    return {
        "applied": applied,
        "searches": len(parts),
        "nodes": sum(words.nodes for words in parts),
        "nodes_pruned": sum(words.unused for words in parts),
        "bytes": sum(words.unused_bytes for words in parts),
    }


def _summary(parts: "list[TextUsage]", applied: bool) -> str:
    if not parts:
        return "nothing to prune: only searches of closed rounds that were not pruned before"
    nodes, unused = sum(w.nodes for w in parts), sum(w.unused for w in parts)
    mib = sum(words.unused_bytes for words in parts) / 2**20
    done = "removed" if applied else "would remove (--apply does it)"
    return (
        f"{done} {mib:,.1f} MiB of words: {unused:,} of {nodes:,} nodes in {len(parts):,} searches"
    )


def _say(arguments: argparse.Namespace, told: object, text: str) -> None:
    import msgspec

    from rstar_async.sanitize import to_json, without_controls

    print(msgspec.json.format(to_json(told)).decode() if arguments.json else without_controls(text))
