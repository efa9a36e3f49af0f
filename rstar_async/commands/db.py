"""`rstar db upgrade`: create a database or bring it to this version."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["upgrade"])
    parser.add_argument("database", help="database URL or SQLite file")


def run(arguments: argparse.Namespace) -> int:
    """Upgrade in place; nothing is lost, and doing it twice changes nothing."""
    from storage.database import open_database

    with open_database(arguments.database) as database:
        print(f"{database.name} is up to date")
    return 0
