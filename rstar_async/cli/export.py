"""`rstar export`: training files from a run, or from another training file."""

import argparse
from pathlib import Path

from rstar_async.cli.numbers import whole

FORMATS = ("sft", "messages", "prompt-completion", "ppm", "preferences", "trees", "problems")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "sft, ppm and trees are the reference code's files; messages, prompt-completion and "
        "preferences are TRL's columns. The suffix of OUT decides the container: .jsonl, .json, "
        ".parquet; without one, a folder that the library `datasets` loads."
    )
    parser.add_argument("source", help="folder of a run, database, or a file of rows")
    parser.add_argument("out", type=Path, help="file or folder to write, whole or not at all")
    parser.add_argument("--as", dest="wanted", choices=FORMATS, required=True)
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier export")
    parser.add_argument("--run", help="which run, if the database holds several")
    parser.add_argument("--round", type=whole(0), help="which round [the newest with trees]")
    parser.add_argument("--per-problem", type=whole(1), default=2, help="solutions [%(default)s]")
    parser.add_argument("--question", default="question", help="column, of a file [%(default)s]")
    parser.add_argument("--answer", default="answer", help="column, of a file [%(default)s]")


def run(arguments: argparse.Namespace) -> int:
    """Write the file and say how much is in it."""
    from rstar_async.config import ProblemsConfig
    from rstar_async.data.convert import convert_file, is_file_of_rows

    if is_file_of_rows(arguments.source):
        columns = ProblemsConfig(question=arguments.question, answer=arguments.answer)
        rows = convert_file(
            arguments.source,
            arguments.wanted,
            arguments.out,
            columns,
            overwrite=arguments.overwrite,
        )
    else:
        rows = _export(arguments)
    print(f"{arguments.out}: {rows:,} rows")
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from rstar_async.cli.locate import choose_run, open_existing
    from rstar_async.data.convert import export_round, last_searched
    from rstar_async.data.exporter import StoredRound

    with open_existing(arguments.source) as database:
        run_id = choose_run(database, arguments.run)
        number = arguments.round
        if number is None:
            number = last_searched(database, run_id)
        stored = StoredRound(database, run_id, number)
        return export_round(
            stored,
            arguments.wanted,
            arguments.out,
            arguments.per_problem,
            overwrite=arguments.overwrite,
        )
