"""`rstar report`: the table of rounds."""

import argparse
from pathlib import Path

from rstar_async.errors import BadInput


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("database", help="database URL, SQLite file, or folder of a run")
    parser.add_argument("--run", help="which run, if the database holds several")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the table."""
    from rstar_async.commands.locate import database_url

    print_report(database_url(arguments.database), arguments.run, arguments.json)
    return 0


def print_report(url: str, run_id: str | None, json_file: Path | None) -> None:
    """Print the table of a run and write it as JSON too, if asked."""
    import msgspec

    from rstar_async.commands.locate import choose_run
    from rstar_async.commands.output import print_table
    from rstar_async.rounds.report import report_of, table_of
    from storage.database import open_database

    with open_database(url, must_exist=True) as database:
        report = report_of(database, choose_run(database, run_id), url)
    print_table(table_of(report))
    if json_file is not None:
        try:
            json_file.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
        except OSError as error:
            raise BadInput(f"cannot write {json_file}: {error.strerror}") from None
