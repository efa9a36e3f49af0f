"""`python -m benchmarks.large_store`: pages, reports, resuming, pruning and exports at 10 M nodes.

A store is generated (`benchmarks.large_store.filling`) and asked by the commands that users type.
SQLite is measured, and PostgreSQL if --postgres or RSTAR_TEST_POSTGRES names a database, in a
temporary schema.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.large_store.commands import add_row, measure_commands, run_command
from benchmarks.large_store.filling import fill
from benchmarks.large_store.growth import TREES, bytes_of_a_node
from benchmarks.large_store.pages import measure_pages
from benchmarks.large_store.resuming import measure_resuming
from benchmarks.large_store.size import size_of, vacuum
from benchmarks.large_store.templates import GROWN, NODES_PER_TREE
from benchmarks.own_schema import own_schema
from benchmarks.report import Report, open_report
from benchmarks.store.synthetic import recipe_in
from rstar_async.config import Recipe
from storage import queries
from storage.database import open_database
from storage.sums.keeping import keep_missing

NODES, SHORT_NODES = 10_000_000, 300_000
ROUNDS = 4
MOST_BYTES = 1000


def main(arguments: list[str] | None = None) -> int:
    """Fill a store of each kind and measure it."""
    report = open_report(__doc__, arguments, _parser())
    server = report.options.postgres or os.environ.get("RSTAR_TEST_POSTGRES")
    with _folder(report) as folder:
        if not report.options.no_sqlite:
            _measure_growth(report, folder, "", "SQLite")
            _measure(report, folder / "sqlite", "", "SQLite")
        if server:
            with own_schema(server) as url:
                _measure_growth(report, folder, url, "PostgreSQL")
            with own_schema(server) as url:
                _measure(report, folder / "postgresql", url, "PostgreSQL")
    return report.close()


def _measure_growth(report: Report, folder: Path, database: str, name: str) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        recipe = recipe_in(Path(scratch), TREES, database=database)
        recipe.home_folder.mkdir()
        with open_database(recipe.database_url) as store:
            size = bytes_of_a_node(store, recipe)
    report.claim(f"{name}: a node, stored by a search", size, "bytes", "<", MOST_BYTES)


def _measure(report: Report, folder: Path, database: str, name: str) -> None:
    wanted = report.options.nodes or (SHORT_NODES if report.short else NODES)
    problems = max(1, wanted // NODES_PER_TREE - 2 * GROWN) // ROUNDS
    folder.mkdir(exist_ok=True)
    recipe = recipe_in(folder, problems, rounds=ROUNDS, database=database)
    place = database or str(recipe.home_folder)
    _fill(report, recipe, name)
    measure_pages(report, recipe, name)
    measure_resuming(report, recipe, name)
    measure_commands(report, place, folder, name)
    spent = run_command("db", "prune", place, "--apply")
    add_row(report, f"{name}: rstar db prune --apply", spent)


def _fill(report: Report, recipe: Recipe, name: str) -> None:
    recipe.home_folder.mkdir(exist_ok=True)
    with open_database(recipe.database_url) as database:
        if database.read(queries.run_by_id, recipe.name) is None:
            report.row(what=f"{name}: filling", **_timed(fill, database, recipe))
        report.row(what=f"{name}: adding up all trees", **_timed(keep_missing, database))
        size = database.read(size_of)
    if recipe.database:
        vacuum(recipe.database)
    each = size.bytes / size.nodes
    report.claim(f"{name}: one of {size.nodes:,} nodes", each, "bytes", "<", MOST_BYTES)


def _timed(action: Callable[..., object], *arguments: object) -> dict[str, float]:
    started, cpu = time.perf_counter(), time.process_time()
    action(*arguments)
    return {"seconds": time.perf_counter() - started, "cpu_s": time.process_time() - cpu}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large_store")
    parser.add_argument("--postgres", help="URL of a database that may be written to")
    parser.add_argument("--no-sqlite", action="store_true", help="PostgreSQL only")
    parser.add_argument("--nodes", type=int, default=0, help="default: 10 M, with --short 300 000")
    parser.add_argument("--folder", type=Path, help="keep the run of SQLite in this folder")
    return parser


@contextmanager
def _folder(report: Report) -> Iterator[Path]:
    if report.options.folder is not None:
        report.options.folder.mkdir(parents=True, exist_ok=True)
        yield report.options.folder
        return
    with tempfile.TemporaryDirectory(prefix="rstar-large-store-") as folder:
        yield Path(folder)


if __name__ == "__main__":
    sys.exit(main())
