"""`rstar compare`: runs side by side, with differences paired by problem."""

import argparse
from pathlib import Path

from rstar_async.cli.numbers import whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", help="folder of a run, SQLite file or database URL"
    )
    parser.add_argument("--round", type=whole(0), help="compare this round [the last one of each]")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write one page with plots")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")


def run(arguments: argparse.Namespace) -> int:
    """Print the tables and write what was asked for; the first run is what others are compared
    with."""
    from rich.table import Table

    from rstar_async.cli.locate import open_existing
    from rstar_async.cli.output import print_folded, print_table, write_json, write_text
    from rstar_async.reports.comparison import ComparedRun, compare, runs_in
    from rstar_async.reports.comparison_tables import NOTE, page_of, tables_of

    found: list[ComparedRun] = []
    for place in arguments.runs:
        with open_existing(place) as database:
            found += runs_in(database, Path(place).name or place)
    comparison = compare(found, arguments.round)
    for values in tables_of(comparison):
        table = Table(title=values.title, title_justify="left")
        for name in values.header:
            table.add_column(name, no_wrap=True)
        for row in values.rows:
            table.add_row(*row)
        if values.rows:
            print_table(table)
    print_folded(NOTE)
    if arguments.html:
        write_text(arguments.html, page_of(comparison))
    if arguments.json:
        write_json(arguments.json, comparison)
    return 0
