"""Programs and their tests: right solutions are judged right, and cheating programs are not.

    python -m benchmarks.programs --humaneval HumanEval.jsonl --mbpp mbpp.jsonl [--json]

The data sets are not part of this project; without their files only the cheating programs are
judged (`tests/workers/sandbox/corpus/cheats`). `--short` takes every tenth problem.
"""

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import trio

from benchmarks.judging import SandboxExecutor, open_executor
from benchmarks.report import Report, open_report
from rstar_async.config import ProblemsConfig
from rstar_async.data.files import read_rows
from rstar_async.domains.programming.domain import verdict_of
from rstar_async.domains.programming.problem import ProblemTests, read_tests
from rstar_async.domains.programming.readers import read_row
from rstar_async.domains.programming.verification import TestResult, run_tests
from rstar_async.errors import BadInput

CHEATS = Path(__file__).parents[1] / "tests" / "workers" / "sandbox" / "corpus" / "cheats"
HONEST = "def total(numbers):\n    return sum(numbers)"
TOTAL = ProblemTests(
    "total",
    (
        "assert total([1, 2, 3]) == 6",
        "assert total([4]) == 4",
        "assert abs(total([0.5, 0.25]) - 0.75) < 1e-9",
        "assert total([-1, 2]) != 0",
        "numbers = [5, 6]\nassert total(numbers) == 11 == sum(numbers)",
        "assert isinstance(total([7, 8]), int) and total([7, 8]) == 15",
        "for n in range(1, 5):\n    assert total([n] * n) == n * n",
    ),
)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--humaneval", type=Path, help="HumanEval.jsonl")
    parser.add_argument("--mbpp", type=Path, help="mbpp.jsonl")
    report = open_report(__doc__, arguments, parser)
    trio.run(measure, report)
    return report.close()


async def measure(report: Report) -> None:
    """Judge everything that there is."""
    async with open_executor() as executor:
        await _judge_cheats(report, executor)
        options = report.options
        for name, file, least in (("HumanEval", options.humaneval, 1.0), ("MBPP", options.mbpp, 0)):
            if file is not None:
                await _judge_solutions(report, executor, name, file, least)


async def _judge_cheats(report: Report, executor: SandboxExecutor) -> None:
    """A cheat is caught only if the very same tests hold an honest program right."""
    programs = {path.stem: path.read_text() for path in sorted(CHEATS.glob("*.py"))}
    caught = Counter[str]()
    for name, program in programs.items():
        results = await run_tests(TOTAL, TOTAL.tests, [program], executor)
        verdict = verdict_of(results)
        caught[verdict] += 1
        report.row(set="cheats", what=name, verdict=verdict, why=results[0].reason[:60])
    honest = await run_tests(TOTAL, TOTAL.tests, [HONEST], executor)
    report.claim("honest program", _passed(honest), "tests passed", "==", len(TOTAL.tests))
    report.claim("cheating programs judged wrong", caught["wrong"], "", "==", len(programs))
    executor.close()


async def _judge_solutions(
    report: Report, executor: SandboxExecutor, name: str, file: Path, least: float
) -> None:
    """The solutions that a data set gives with its problems. `least`: share that must be right."""
    problems = _problems(file)[:: 10 if report.short else 1]
    verdicts, tests = Counter[str](), 0
    jobs, cpu, started = executor.jobs, executor.cpu_seconds, time.monotonic()
    for where, problem in problems:
        results = await run_tests(problem, problem.tests, [problem.solution], executor)
        verdict = verdict_of(results)
        verdicts[verdict] += 1
        tests += len(results)
        if verdict != "right":
            why = next(result.reason for result in results if result.verdict != "right")
            report.row(set=name, what=where, verdict=verdict, why=why[:60])
        executor.close()
    count = len(problems)
    report.row(
        set=name,
        what=f"{count} solutions",
        verdict=f"{verdicts['right']} right",
        tests=tests,
        jobs_each=(executor.jobs - jobs) / count,
        cpu_ms_each=1000 * (executor.cpu_seconds - cpu) / count,
        seconds=time.monotonic() - started,
    )
    target = round(least * count)
    report.claim(f"{name} solutions judged right", verdicts["right"], "", ">=", target)


def _problems(file: Path) -> list[tuple[str, ProblemTests]]:
    columns = ProblemsConfig(domain="programming")
    found = []
    for where, row in read_rows(str(file), _refuse):
        _, answer = read_row(row, columns, where)
        found.append((str(row.get("task_id", where)), read_tests(answer, where)))
    return found


def _refuse(error: BadInput) -> None:
    raise error


def _passed(results: Sequence[TestResult]) -> int:
    return sum(result.verdict == "right" for result in results)


if __name__ == "__main__":
    raise SystemExit(main())
