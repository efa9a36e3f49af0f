"""Programs are judged in a real sandbox."""

from collections.abc import Sequence

import pytest
import trio

from rstar_async.domains.programming.problem import ProblemTests
from rstar_async.domains.programming.verification import TestResult, run_tests
from rstar_async.wire.payloads import Execute, Executed, Limits
from workers.executor import Executor
from workers.sandbox import Options, open_sandbox


class SandboxExecutor:
    """A `domains.base.Executor` over a sandbox of this process."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self.jobs = 0

    async def run(self, program: Sequence[str], limits: Limits = Limits()) -> Executed:  # noqa: B008
        self.jobs += 1
        return await self._executor.execute(Execute("tree", list(program), limits))


async def judged(tests: ProblemTests, *programs: Sequence[str]) -> list[list[TestResult]]:
    """The results of the hidden tests for each program."""
    async with open_sandbox(Options(slots=2)) as sandbox:
        executor = SandboxExecutor(Executor(sandbox))
        return [await run_tests(tests, tests.tests, program, executor) for program in programs]


@pytest.fixture
def judge():
    def results(tests: ProblemTests, *programs: Sequence[str]) -> list[list[TestResult]]:
        return trio.run(judged, tests, *programs)

    return results
