"""`rstar trajectories`: solutions of a run whose answer was verified, best mean Q first."""

import argparse

from rstar_async.cli.numbers import whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("database", help="database URL, SQLite file, or folder of a run")
    parser.add_argument("--run", help="which run, if the database holds several")
    parser.add_argument(
        "--round", type=whole(0), help="only this round; default: the last one searched"
    )
    parser.add_argument("--wrong", action="store_true", help="wrong answers instead, worst first")
    parser.add_argument(
        "--limit", type=whole(1, 1_000_000_000), default=3, help="how many [%(default)s]"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(arguments: argparse.Namespace) -> int:
    """Print solutions with their questions, or JSON lines."""
    from rich.console import Console
    from rich.syntax import Syntax

    from rstar_async.cli.locate import choose_run, open_existing
    from rstar_async.reports.solutions import solutions_of_round
    from rstar_async.sanitize import to_json, without_controls

    console = Console()
    with open_existing(arguments.database) as database:
        run_id = choose_run(database, arguments.run)
        solutions = solutions_of_round(
            database, run_id, arguments.round, correct=not arguments.wrong, limit=arguments.limit
        )
    for solution in solutions:
        if arguments.json:
            print(to_json(solution).decode())
            continue
        verdict = "answer verified" if solution.correct else "wrong answer"
        console.rule(f"{verdict} · mean Q {solution.mean_q:+.2f} · round {solution.round}")
        console.print(without_controls(solution.question), markup=False, highlight=False)
        console.print(Syntax(without_controls(solution.text), "python", word_wrap=True))
        console.print(f"rstar tree {arguments.database} {solution.search_id}", style="dim")
    if not solutions and not arguments.json:
        console.print("no such solutions yet")
    return 0
