"""Judges programs by tests, so that a program has no way to its verdict but through its results.

The program runs in one interpreter of the sandbox and the tests in another. They take turns: the
tests say which calls they make, the program's interpreter makes them and writes down plain results,
the tests run with these. Mostly that is one turn: one job for the program, one for its tests.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from rstar_async.domains.base import Executor
from rstar_async.domains.programming.problem import ProblemTests
from rstar_async.domains.programming.sources import calls_after, judging
from rstar_async.sanitize import from_json
from rstar_async.wire.payloads import Executed, Limits

TestVerdict: TypeAlias = Literal["right", "wrong", "broken"]

SECONDS_PER_CALL = 2.0  # of CPU time, as are the next two
SECONDS_OF_CALLS = 10.0
SECONDS_LOST_BY_KILLS = 5.0  # a job that had to be killed uses up at least so many of them
MOST_TURNS = 12
OUTPUT_BYTES = 1 << 20
_FAILURES = {
    "timeout": "no result in time",
    "memory": "it used too much memory",
    "output": "it printed too much",
    "died": "it killed its interpreter",
    "ok": "it ended the program",
}


@dataclass(frozen=True, slots=True)
class TestResult:
    """The verdict of one test, and in a few words why. "broken": the test itself cannot run."""

    __test__ = False  # for pytest

    verdict: TestVerdict
    reason: str = ""


async def run_tests(
    tests: ProblemTests, sources: Sequence[str], program: Sequence[str], executor: Executor
) -> list[TestResult]:
    """The result of each of `sources`, which are tests of the problem, for a program in steps."""
    caller = Caller(tests, program, executor)
    waiting, results = dict(enumerate(sources)), dict[int, TestResult]()
    for _ in range(MOST_TURNS):
        said = await judge(tests, list(waiting.values()), caller.known, executor)
        asked: dict[str, None] = {}
        for number, one in zip(list(waiting), said, strict=True):
            if isinstance(one, TestResult):
                results[number] = one
                del waiting[number]
            else:
                asked.update(dict.fromkeys(one))
        if not waiting:
            break
        await caller.call(list(asked))
    unended = TestResult("wrong", "the test makes ever more calls")
    return [results.get(number, unended) for number in range(len(sources))]


async def judge(
    tests: ProblemTests, sources: Sequence[str], known: Mapping[str, str], executor: Executor
) -> list[TestResult | list[str]]:
    """The result of each test, or the calls that it makes and that are not known yet."""
    request = {
        "function": tests.entry_point,
        "setup": tests.setup,
        "helpers": tests.helpers,
        "tests": sources,
        "known": known,
        "seconds": SECONDS_PER_CALL,
    }
    ran = await executor.run(judging(request), _limits(SECONDS_OF_CALLS))
    lines = ran.stdout.splitlines()
    if ran.status == "ok" and len(lines) == len(sources):
        return [_read(line) for line in lines]
    if len(sources) > 1:  # one of them is to blame
        return [(await judge(tests, [source], known, executor))[0] for source in sources]
    return [TestResult("wrong" if known else "broken", f"the test: {_failure(ran)}")]


class Caller:
    """Calls the functions of one program. `known` has a line for each call that was made, as the
    program's interpreter wrote it: text from a stranger, which only the sandbox reads."""

    def __init__(self, tests: ProblemTests, program: Sequence[str], executor: Executor) -> None:
        self.known: dict[str, str] = {}
        self._program = [source for source in (tests.setup, *program, tests.fixtures) if source]
        self._executor = executor
        self._seconds = SECONDS_OF_CALLS

    async def call(self, calls: Sequence[str]) -> None:
        """Make the calls. One that ends the program or its time is the only one to suffer."""
        while calls:
            lines, failure, loaded = await self._make(calls)
            self.known.update(zip(calls, lines, strict=False))
            unmade = calls[len(lines) :]
            blamed = unmade[:1] if loaded and self._seconds > 0 else unmade
            self.known.update(dict.fromkeys(blamed, json.dumps({"failed": failure})))
            calls = unmade[len(blamed) :]

    async def _make(self, calls: Sequence[str]) -> tuple[list[str], str, bool]:
        """What the first of the calls gave, why the next one gave nothing, and whether the program
        could be loaded."""
        seconds = {"seconds": SECONDS_PER_CALL, "seconds_of_all": self._seconds}
        steps = calls_after(self._program, {"calls": calls, **seconds})
        ran = await self._executor.run(steps, _limits(self._seconds))
        was_killed = ran.status in ("timeout", "output")
        self._seconds -= max(ran.cpu_seconds, SECONDS_LOST_BY_KILLS if was_killed else 0.0)
        lines = ran.stdout.split("\n")[:-1][: len(calls)]
        return lines, _failure(ran), ran.step in (-1, len(steps) - 1)


def _limits(seconds: float) -> Limits:
    """More wall time than CPU time, because workers share their cores."""
    return Limits(wall_seconds=3 * seconds + 5, cpu_seconds=seconds + 2, output_bytes=OUTPUT_BYTES)


def _read(line: str) -> TestResult | list[str]:
    said = from_json(line)
    return said["calls"] if "calls" in said else TestResult(said["verdict"], said["reason"])


def _failure(ran: Executed) -> str:
    if ran.status == "exception":
        return f"it raised {ran.error_type}: {ran.error_message}"[:300]
    return _FAILURES[ran.status]
