"""Judges programs by tests, so that a program has no way to its verdict but through its results.

The program runs in one interpreter of the sandbox and the tests in another. They take turns: the
tests say which calls they make, the program's interpreter makes them and writes down plain results,
the tests run with these. Mostly that is one turn: one job for the program, one for its tests.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from rstar_async.domains.base import Executor
from rstar_async.domains.programming.problem import ProblemTests
from rstar_async.domains.programming.sources import calls_after, judging
from rstar_async.sanitize import from_json
from rstar_async.wire.payloads import Executed, Limits

TestVerdict: TypeAlias = Literal["right", "wrong", "broken"]

SECONDS_PER_CALL = 2.0  # of CPU time, as are those below
SECONDS_OF_CALLS = 10.0
MOST_TURNS = 12
LIMITS = Limits(wall_seconds=30.0, cpu_seconds=15.0, output_bytes=1 << 20)
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
    trial = _Trial(tests, program, executor)
    waiting, results = dict(enumerate(sources)), dict[int, TestResult]()
    for _ in range(MOST_TURNS):
        said = await trial.judge(list(waiting.values()))
        calls: dict[str, None] = {}
        for number, line in zip(list(waiting), said, strict=True):
            if isinstance(line, TestResult):
                results[number] = line
                del waiting[number]
            else:
                calls.update(dict.fromkeys(line))
        if not waiting:
            break
        await trial.call(list(calls))
    unended = TestResult("wrong", "the test makes ever more calls")
    return [results.get(number, unended) for number in range(len(sources))]


class _Trial:
    """One program and what its calls have given so far, each as a line that it wrote."""

    def __init__(self, tests: ProblemTests, program: Sequence[str], executor: Executor) -> None:
        self._tests = tests
        self._program = [source for source in (tests.setup, *program, tests.fixtures) if source]
        self._executor = executor
        self._known: dict[str, str] = {}

    async def judge(self, tests: Sequence[str]) -> list[TestResult | list[str]]:
        """The result of each test, or the calls that it still needs."""
        ran = await self._executor.run(judging(self._request(tests)), LIMITS)
        lines = ran.stdout.splitlines()[: len(tests)]
        if ran.status == "ok" and len(lines) == len(tests):
            return [_read(line) for line in lines]
        if len(tests) > 1:  # one of them is to blame
            return [(await self.judge([test]))[0] for test in tests]
        return [TestResult("wrong" if self._known else "broken", f"the test: {_failure(ran)}")]

    def _request(self, tests: Sequence[str]) -> Mapping[str, Any]:
        return {
            "function": self._tests.entry_point,
            "setup": self._tests.setup,
            "helpers": self._tests.helpers,
            "tests": tests,
            "known": self._known,
            "seconds": SECONDS_PER_CALL,
        }

    async def call(self, calls: Sequence[str]) -> None:
        """Make the calls. One that ends the program or its time is the only one to suffer."""
        while calls:
            request = {
                "calls": calls,
                "seconds": SECONDS_PER_CALL,
                "seconds_of_all": SECONDS_OF_CALLS,
            }
            steps = calls_after(self._program, request)
            ran = await self._executor.run(steps, LIMITS)
            lines = ran.stdout.split("\n")[:-1][: len(calls)]
            self._known.update(zip(calls, lines, strict=False))
            if len(lines) == len(calls):
                return
            unmade = calls[len(lines) :]
            loaded = ran.step in (-1, len(steps) - 1)
            failed = json.dumps({"failed": _failure(ran)})
            self._known.update(dict.fromkeys(unmade[:1] if loaded else unmade, failed))
            calls = unmade[1:] if loaded else []


def _read(line: str) -> TestResult | list[str]:
    said = from_json(line)
    return said["calls"] if "calls" in said else TestResult(said["verdict"], said["reason"])


def _failure(ran: Executed) -> str:
    if ran.status == "exception":
        return f"it raised {ran.error_type}: {ran.error_message}"[:300]
    return _FAILURES[ran.status]
