"""Programming: the answer is a program, which the problem's tests judge."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rstar_async.config import ProblemsConfig
from rstar_async.domains.base import (
    Domain,
    Executor,
    GeneratedProblem,
    GeneratedSplit,
    PathStep,
    StepJudge,
    Verdict,
    Verification,
)
from rstar_async.domains.programming.generated import generated_problems, judge_of_generated
from rstar_async.domains.programming.problem import ProblemTests, read_tests
from rstar_async.domains.programming.prompts import PROGRAMMING_PROMPTS
from rstar_async.domains.programming.readers import read_row
from rstar_async.domains.programming.verification import TestResult, run_tests
from rstar_async.domains.programming.votes import votes
from rstar_async.sanitize import one_line
from rstar_async.seeding import seed_of
from rstar_async.text.steps import Step, StepKind, parse_step, program_of
from storage.records import Problem

REPORTED = 100
REPORT_CHARACTERS = 8000


class ProgrammingDomain(Domain):
    """A path ends with its code block; its answer is the source of the whole program."""

    prompts = PROGRAMMING_PROMPTS

    @classmethod
    def read_problem(
        cls, row: Mapping[str, Any], columns: ProblemsConfig, where: str
    ) -> tuple[str, str]:
        return read_row(row, columns, where)

    def generate(
        self, count: int, levels: Sequence[int], seed: int, split: GeneratedSplit
    ) -> Sequence[GeneratedProblem]:
        """Functions over lists and strings; the level is the number of operations."""
        return generated_problems(count, levels, seed, split)

    def parse_step(self, text: str, *, after_output: bool) -> Step:
        """The end of the code is the end of the path: nothing has to be printed or said."""
        step = parse_step(text, after_output=after_output)
        if step.kind is StepKind.END_OF_CODE:
            return Step(StepKind.ANSWER, step.code, step.opens_code)
        return Step(StepKind.MALFORMED) if step.kind is StepKind.ANSWER else step

    async def verify(
        self, problem: Problem, path: Sequence[PathStep], executor: Executor
    ) -> Verification:
        program = program_of(step.step for step in path)
        if not problem.answer:  # of a question that came without tests
            return Verification("\n".join(program), "undecided")
        tests = read_tests(problem.answer)
        results = await run_tests(tests, tests.tests, program, executor)
        return Verification("\n".join(program), verdict_of(results), report_on(results))

    async def fault(self, problem: Problem, executor: Executor) -> str:
        """That a problem's own solution fails its tests."""
        tests = read_tests(problem.answer) if problem.answer else None
        if tests is None or not tests.solution:
            return ""
        results = await run_tests(tests, tests.tests, [tests.solution], executor)
        report = report_on(results)
        return f"its own solution fails: {one_line(report)}" if report else ""

    async def group(
        self, problem: Problem, answers: Iterable[str], executor: Executor
    ) -> dict[str, str]:
        """Programs that behave alike on generated inputs are one vote."""
        tests = read_tests(problem.answer) if problem.answer else ProblemTests("", ())
        return await votes(tests, answers, seed_of(0, problem.question), executor)

    def step_judge(self, question: str) -> StepJudge | None:
        """For generated problems, whose sentences have a known meaning."""
        return judge_of_generated(question)


def verdict_of(results: Sequence[TestResult]) -> Verdict:
    """Wrong if any test says so; undecided if no test does, but one cannot be run."""
    verdicts = {result.verdict for result in results}
    if "wrong" in verdicts:
        return "wrong"
    return "undecided" if "broken" in verdicts else "right"


def report_on(results: Sequence[TestResult]) -> str:
    """How many tests pass, and a line for each of the others; "" if all pass."""
    others = [(n, result) for n, result in enumerate(results, 1) if result.verdict != "right"]
    if not others:
        return ""
    head = f"TestsFailed: {len(results) - len(others)} of {len(results)} pass"
    lines = [f"test {n} {result.verdict}: {result.reason}" for n, result in others]
    return "\n".join([head, *lines[:REPORTED]])[:REPORT_CHARACTERS]
