"""`rstar import`: trees of the reference code into a store, to be viewed and exported."""

import argparse
import shlex
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("trees", type=Path, help='file with question, answer and "rstar"')
    parser.add_argument("home", type=Path, help="folder of the run to make, e.g. runs/reference")


def run(arguments: argparse.Namespace) -> int:
    """Store the trees and print the next command."""
    from rstar_async.data.importer import import_trees

    found = import_trees(arguments.trees, arguments.home)
    print(f"{found.trees:,} trees with {found.nodes:,} nodes, {found.pairs:,} preference pairs")
    if found.uneven:
        print(f"{found.uneven:,} trees have visits or values that do not add up")
    print(f"next       rstar view {shlex.quote(str(arguments.home))}")
    return 0
