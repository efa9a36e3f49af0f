"""`rstar verify`: check a list of {gold, pred, equal?} for equivalence, in bulk."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rstar_async.cli.numbers import whole

if TYPE_CHECKING:
    from rstar_async.answers.bulk import Report, Score


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="JSON list of objects with gold, pred, equal?")
    parser.add_argument("--rules", choices=["strict", "reference"], default="strict")
    parser.add_argument(
        "--workers", type=whole(1, 1024), default=1, help="verifier processes [%(default)s]"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Print agreement with the given labels, in all and by source, and the speed."""
    import msgspec

    from rstar_async.answers.bulk import verify_file

    report = verify_file(arguments.file, rules=arguments.rules, workers=arguments.workers)
    if arguments.json:
        print(msgspec.json.format(msgspec.json.encode(report)).decode())
    else:
        _print_table(report)
    return 0


def _print_table(report: "Report") -> None:
    from rich.console import Console
    from rich.table import Table

    from rstar_async.cli.output import print_table

    columns = ("pairs", "equal", "different", "undecided", "agreement", "precision", "recall")
    table = Table("source", *columns, title=f"{report.path} · {report.rules} rules")
    for source, score in report.by_source.items():
        table.add_row(source, *_cells(score))
    table.add_section()
    table.add_row("all", *_cells(report.total))
    print_table(table)
    console = Console()
    console.print(
        f"{report.per_second:,.0f} checks/s; {report.by_verifier} needed math-verify, "
        f"{report.timeouts} timed out"
    )
    for miss in report.disagreements:
        console.print(
            f"#{miss.index} gold {miss.gold!r} pred {miss.predicted!r}: "
            f"label {'equal' if miss.label else 'different'}, verdict {miss.verdict}",
            markup=False,
        )


def _cells(score: "Score") -> list[str]:
    counts = (score.pairs, score.equal, score.different, score.undecided)
    shares = (score.agreement, score.precision, score.recall)
    return [*map(str, counts), *("-" if s is None else f"{s:.4f}" for s in shares)]
