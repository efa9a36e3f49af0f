"""Problems whose own solution fails are found before anything is searched."""

import pytest
import trio

from benchmarks.judging import open_executor
from rstar_async.domains.programming import ProgrammingDomain
from rstar_async.domains.programming.problem import ProblemTests
from rstar_async.errors import BadInput
from rstar_async.search.usable import usable
from storage.records import Problem


def problem(name, tests):
    answer = ProblemTests("f", tests, solution="def f(x): return 2 * x").stored()
    return Problem(name, "run", f"Double it, {name}.", answer, source="tasks.jsonl")


PROBLEMS = [
    problem("good", ("assert f(1) == 2",)),
    problem("bad", ("assert f(1) == 2", "assert f(2) == 5")),
    Problem("asked", "run", "Without tests.", ""),
]


class Judging:
    """The part of a runner that `usable` needs, over a sandbox of this process."""

    def __init__(self, executor):
        self._executor = executor

    async def fault(self, problem):
        return await ProgrammingDomain().fault(problem, self._executor)


async def checked(skip_bad):
    async with open_executor() as executor:
        return await usable(PROBLEMS, Judging(executor), skip_bad=skip_bad)


def test_a_problem_whose_own_solution_fails_is_refused_by_name():
    with pytest.raises(BadInput) as caught:
        trio.run(checked, False)
    assert str(caught.value) == (
        "tasks.jsonl: 1 of 3 problems cannot be used: 'Double it, bad.' (its own solution fails: "
        "TestsFailed: 1 of 2 pass test 2 wrong: it returned 4); mend them, or set problems.skip_bad"
    )


def test_or_left_out_and_logged(caplog):
    assert [p.id for p in trio.run(checked, True)] == ["good", "asked"]
    assert "problem left out: 'Double it, bad.'" in caplog.text
