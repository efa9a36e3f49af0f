"""`rstar keys`: CURVE keys, required once a broker listens beyond this machine."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="where the keys go; existing ones are kept")
    parser.add_argument("--clients", nargs="*", default=["coordinator"], metavar="NAME")
    parser.add_argument(
        "--workers", nargs="*", default=["executor", "inference", "reward"], metavar="NAME"
    )


def run(arguments: argparse.Namespace) -> int:
    """Make the keys that are missing and print their folders."""
    from rstar_async.wire.keys import make_keys

    for folder in make_keys(arguments.folder, arguments.clients, arguments.workers):
        print(folder)
    return 0
