"""The demo's tasks as problems of this domain."""

from collections.abc import Sequence
from dataclasses import dataclass

from rstar_async.demo.programs.cases import ENTRY_POINT
from rstar_async.demo.programs.judge import program_judge
from rstar_async.demo.programs.tasks import ProgramTask, program_tasks
from rstar_async.domains.base import GeneratedSplit, PathStep, StepJudge
from rstar_async.domains.programming.problem import ProblemTests
from rstar_async.text.steps import program_of


@dataclass(frozen=True, slots=True)
class GeneratedProgram:
    """A generated task in the stored form."""

    question: str
    answer: str
    kind: str
    level: int
    solution: str


def generated_problems(
    count: int, levels: Sequence[int], seed: int, split: GeneratedSplit
) -> list[GeneratedProgram]:
    """`count` different tasks, the levels in turn; equal arguments, equal tasks."""
    return [_stored(task) for task in program_tasks(count, levels, seed, split)]


def judge_of_generated(question: str) -> StepJudge | None:
    """Tells right steps from wrong ones; None if the question is none of these."""
    judge = program_judge(question)
    if judge is None:
        return None

    def judge_step(path: Sequence[PathStep]) -> bool | None:
        program = program_of(step.step for step in path)
        return judge(program) if program else None

    return judge_step


def _stored(task: ProgramTask) -> GeneratedProgram:
    tests = ProblemTests(ENTRY_POINT, tuple(case.test for case in task.tests), (task.example.test,))
    return GeneratedProgram(task.question, tests.stored(), task.kind, task.level, task.solution)
