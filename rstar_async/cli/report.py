"""`rstar report`: the table of rounds; as a page, as Markdown or as JSON with everything behind."""

import argparse
from pathlib import Path

from rstar_async.cli.numbers import amount


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("database", help="database URL, SQLite file, or folder of a run")
    parser.add_argument("--run", help="which run, if the database holds several")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write one page with plots")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    parser.add_argument(
        "--hourly-price",
        type=amount(0),
        metavar="PRICE",
        help="of all machines, for the cost table",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the table and write what was asked for."""
    from rstar_async.cli.locate import choose_run, open_existing
    from rstar_async.cli.output import write_json, write_text
    from rstar_async.reports.gather import gather
    from rstar_async.reports.markdown import markdown_of
    from rstar_async.reports.page import page_of

    print_report(arguments.database, arguments.run, None)
    if not (arguments.html or arguments.markdown or arguments.json):
        return 0
    with open_existing(arguments.database) as database:
        run_id = choose_run(database, arguments.run)
        report = gather(database, run_id, database.name, arguments.hourly_price)
    if arguments.html:
        write_text(arguments.html, page_of(report))
    if arguments.markdown:
        write_text(arguments.markdown, markdown_of(report))
    if arguments.json:
        write_json(arguments.json, report)
    return 0


def print_report(place: str, run_id: str | None, json_file: Path | None) -> None:
    """Print the table of a run and write it as JSON too, if asked."""
    from rstar_async.cli.locate import choose_run, open_existing
    from rstar_async.cli.output import print_folded, print_table, write_json
    from rstar_async.reports.round_rows import report_of
    from rstar_async.reports.terminal import labels_lines, table_of

    with open_existing(place) as database:
        report = report_of(database, choose_run(database, run_id), database.name)
    print_table(table_of(report))
    for line in labels_lines(report):
        print_folded(line)
    if json_file is not None:
        write_json(json_file, report)
