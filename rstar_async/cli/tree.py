"""`rstar tree`: one search tree in the terminal."""

import argparse
from typing import TYPE_CHECKING

from rstar_async.cli.numbers import whole
from rstar_async.errors import BadInput

if TYPE_CHECKING:
    from rich.text import Text

    from storage.records import Node

GOLD_CHARACTERS = 300  # tests of a program can be long

_COLOURS = {"code_error": "red"} | dict.fromkeys(
    ("too_deep", "too_long", "unfinished", "malformed"), "yellow"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("database", help="database URL, SQLite file, or folder of a run")
    parser.add_argument("search", help="id of a search")
    parser.add_argument("--depth", type=whole(0), default=16, help="show no deeper [%(default)s]")
    parser.add_argument("--json", action="store_true", help="one JSON object per node")


def run(arguments: argparse.Namespace) -> int:
    """Print the question and the tree with N, Q, PPM value and outcome of every step."""
    from rich.console import Console
    from rich.tree import Tree as Drawing

    from rstar_async.cli.locate import open_existing
    from rstar_async.sanitize import one_line, to_json, without_controls
    from storage import queries

    with open_existing(arguments.database) as database:
        search = database.read(queries.search_by_id, arguments.search)
        if search is None:
            raise BadInput(
                f"there is no search {arguments.search!r}; `rstar trajectories` prints some"
            )
        problem = database.read(queries.problem_by_id, search.problem_id)
        nodes = database.read(queries.nodes_of, search.id)
    if arguments.json:
        for node in nodes:
            print(to_json(node).decode())
        return 0
    console = Console()
    if problem is not None:
        console.print(without_controls(problem.question), markup=False, highlight=False)
        gold = one_line(problem.answer, GOLD_CHARACTERS)
        console.print(f"gold answer: {gold}", style="dim", markup=False)
    if search.failure:
        console.print(without_controls(f"failed: {search.failure}"), style="red", markup=False)
    drawing = Drawing(f"search {search.id} · {search.status} · {search.rollouts} rollouts")
    branches = {"0": drawing}
    for node in nodes:
        parent = branches.get(node.path.rpartition(".")[0])
        if parent is not None and node.depth <= arguments.depth:
            branches[node.path] = parent.add(_label(node))
    console.print(drawing)
    return 0


def _label(node: "Node") -> "Text":
    """One line per node: statistics first, then the step's own first words."""
    from rich.text import Text

    from rstar_async.sanitize import one_line, without_controls

    q = node.value_sum / node.visits if node.visits else 0.0
    prior = "" if node.prior is None else f" ppm {node.prior:+.2f}"
    label = Text(f"{node.path} N={node.visits} Q={q:+.2f}{prior} ", style="dim")
    label.append(without_controls(" ".join(node.text.split())[:100]), style=_colour(node))
    if node.exec_error:
        label.append(f"  {one_line(node.exec_error, 80)}", style="red")
    return label


def _colour(node: "Node") -> str:
    if node.status == "answer":
        return "green" if node.correct else "magenta"
    return _COLOURS.get(node.status, "white")
