"""Programs are judged in a real sandbox."""

from collections.abc import Sequence

import pytest
import trio

from benchmarks.judging import open_executor
from rstar_async.domains.programming.problem import ProblemTests
from rstar_async.domains.programming.verification import TestResult, run_tests


@pytest.fixture
def judge():
    """The results of the hidden tests for each of the programs, which are given in steps."""

    async def judged(
        tests: ProblemTests, programs: Sequence[Sequence[str]]
    ) -> list[list[TestResult]]:
        async with open_executor() as executor:
            return [await run_tests(tests, tests.tests, program, executor) for program in programs]

    def results(tests: ProblemTests, *programs: Sequence[str]) -> list[list[TestResult]]:
        return trio.run(judged, tests, programs)

    return results
