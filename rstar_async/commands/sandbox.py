"""`rstar sandbox check`: run folders of attack and benign programs, say what became of each."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rstar_async.errors import BadInput

if TYPE_CHECKING:
    from workers.sandbox.corpus import Verdict


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["check"])
    parser.add_argument("folders", nargs="+", type=Path, help="programs with a `# correct:` line")
    parser.add_argument("--incremental", action="store_true", help="extend a paused interpreter")
    parser.add_argument("--verbose", action="store_true", help="a line for the contained ones too")


def run(arguments: argparse.Namespace) -> int:
    """0 if every attack was contained, every benign program worked and no process was left."""
    import trio

    for folder in arguments.folders:
        if not folder.is_dir():
            raise BadInput(f"there is no folder {folder}")
    verdicts, strays = trio.run(_check, arguments.folders, arguments.incremental)
    for verdict in verdicts:
        if arguments.verbose or not (verdict.good and verdict.canary):
            print(_line(verdict))
    good = sum(v.good and v.canary for v in verdicts)
    print(
        f"{good} of {len(verdicts)} programs as they should be, {len(strays)} processes left over"
    )
    if not verdicts:
        raise BadInput("the folders hold no programs")
    return 0 if good == len(verdicts) and not strays else 1


async def _check(folders: list[Path], incremental: bool) -> "tuple[list[Verdict], list[int]]":
    from workers.sandbox import open_sandbox
    from workers.sandbox.corpus import check

    async with open_sandbox() as sandbox:
        verdicts = [v async for v in check(sandbox, folders, incremental=incremental)]
        return verdicts, list(sandbox.strays)


def _line(verdict: "Verdict") -> str:
    state = "ok      " if verdict.good and verdict.canary else "BREACHED"
    canary = "" if verdict.canary else ", canary dead"
    return f"{state} {verdict.kind:7} {verdict.name:34} {verdict.seen}{canary} {verdict.detail}"
