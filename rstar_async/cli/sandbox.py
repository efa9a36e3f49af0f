"""`rstar sandbox check FOLDER…`: run attack and benign programs and report on each.

`rstar sandbox fuzz`: random system calls inside the sandbox, while a bystander must stay unharmed.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rstar_async.cli.numbers import amount, whole
from rstar_async.errors import BadInput

if TYPE_CHECKING:
    from rich.table import Table

    from workers.sandbox import Sandbox
    from workers.sandbox.selftest.corpus import Verdict
    from workers.sandbox.selftest.fuzz import Fuzzed

EXIT_SECONDS = 5.0  # for killed processes to be gone


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    checking = actions.add_parser("check", help="run attack and benign programs")
    checking.add_argument(
        "folders", nargs="+", type=Path, metavar="FOLDER", help="programs with a `# correct:` line"
    )
    checking.add_argument("--incremental", action="store_true", help="each as a chain of steps")

    fuzzing = actions.add_parser("fuzz", help="random system calls beside a bystander")
    fuzzing.add_argument("--seconds", type=amount(0), default=60.0, help="how long to fuzz")
    fuzzing.add_argument(
        "--seed", type=whole(0, 2**63 - 1), default=0, help="seed of the first round"
    )

    for action in (checking, fuzzing):
        action.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """1 on a breach, a failed benign program, a harmed canary or a process left over; else 0."""
    return {"check": _run_check, "fuzz": _run_fuzz}[arguments.action](arguments)


def _run_check(arguments: argparse.Namespace) -> int:
    import trio

    for folder in arguments.folders:
        if not folder.is_dir():
            raise BadInput(f"there is no folder {folder}")
    verdicts, left_over = trio.run(_check, arguments.folders, arguments.incremental)
    if not verdicts:
        raise BadInput("the folders hold no programs")
    _print(verdicts, left_over, arguments.json)
    return exit_code(verdicts, left_over)


def _run_fuzz(arguments: argparse.Namespace) -> int:
    import msgspec
    import trio

    fuzzed, left_over = trio.run(_fuzz, arguments.seconds, arguments.seed)
    if arguments.json:
        document = msgspec.to_builtins(fuzzed) | {"left_over": left_over}
        print(msgspec.json.format(msgspec.json.encode(document)).decode())
    else:
        endings = ", ".join(f"{count} {status}" for status, count in fuzzed.endings.most_common())
        print(f"{fuzzed.rounds} rounds of random system calls: {endings}")
        print(f"bystander harmed by seeds {fuzzed.harmed or 'none'}; left over: {left_over or 0}")
    return 1 if fuzzed.harmed or left_over else 0


async def _fuzz(seconds: float, seed: int) -> "tuple[Fuzzed, list[int]]":
    from workers.sandbox import open_sandbox
    from workers.sandbox.selftest.fuzz import fuzz

    async with open_sandbox() as sandbox:
        fuzzed = await fuzz(sandbox, seconds, seed)
        left_over = await _unknown_processes(sandbox)
    return fuzzed, left_over


def exit_code(verdicts: "list[Verdict]", left_over: list[int]) -> int:
    """0 only if every program and its canary ended as expected, and no process is left."""
    return 0 if all(map(_is_good, verdicts)) and not left_over else 1


def _is_good(verdict: "Verdict") -> bool:
    return verdict.good and verdict.canary


async def _check(folders: list[Path], incremental: bool) -> "tuple[list[Verdict], list[int]]":
    """Return the verdicts, and the processes left after the last program or after the sandbox."""
    from workers.sandbox import open_sandbox
    from workers.sandbox.process_group import members
    from workers.sandbox.selftest.corpus import check

    async with open_sandbox() as sandbox:
        verdicts = [v async for v in check(sandbox, folders, incremental=incremental)]
        left_over, groups = await _unknown_processes(sandbox), sandbox.groups
    return verdicts, sorted({*left_over}.union(*map(members, groups)))


async def _unknown_processes(sandbox: "Sandbox") -> list[int]:
    import trio

    with trio.move_on_after(EXIT_SECONDS):
        while sandbox.unknown_processes:  # noqa: ASYNC110
            await trio.sleep(0.05)
    return sorted(sandbox.unknown_processes)


def _print(verdicts: "list[Verdict]", left_over: list[int], as_json: bool) -> None:
    import msgspec

    from rstar_async.cli.output import print_table

    good = sum(map(_is_good, verdicts))
    if as_json:
        document = {"good": good, "programs": verdicts, "left_over": left_over}
        print(msgspec.json.format(msgspec.json.encode(document)).decode())
        return
    print_table(_table(verdicts))
    print(f"{good} of {len(verdicts)} as expected, {len(left_over)} processes left over")


def _table(verdicts: "list[Verdict]") -> "Table":
    from rich.markup import escape
    from rich.table import Table

    table = Table("program", "kind", "expected", "seen", "canary", "seconds", "verdict")
    for verdict in verdicts:
        fine = "ok" if _is_good(verdict) else f"[bold red]BAD[/] {escape(verdict.detail)}"
        canary = "alive" if verdict.canary else "HARMED"
        row = (verdict.name, verdict.kind, verdict.foreseen, verdict.seen, canary)
        table.add_row(*row, f"{verdict.seconds:.2f}", fine)
    return table
