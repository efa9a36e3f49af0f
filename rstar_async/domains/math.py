"""Mathematics: programs that print a number, and an answer in a box (paper section 3)."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Self

from rstar_async.answers.checker import Checker, open_checker
from rstar_async.answers.extract import extract_answer
from rstar_async.answers.rules import RulesName
from rstar_async.answers.rules import Verdict as Equivalence
from rstar_async.config import ProblemsConfig, Recipe
from rstar_async.demo.judge import program_judge
from rstar_async.demo.problems import WordProblem, word_problems
from rstar_async.domains.base import (
    Domain,
    Executor,
    GeneratedSplit,
    PathStep,
    StepJudge,
    Verdict,
    Verification,
    group_equal,
)
from rstar_async.domains.columns import required_column
from rstar_async.text.steps import StepKind, program_of
from storage.records import Problem

GSM8K_ANSWER_MARK = "####"
QUESTION_CHARACTERS = 100_000
ANSWER_CHARACTERS = 10_000
_VERDICTS: Mapping[Equivalence, Verdict] = {
    "equal": "right",
    "different": "wrong",
    "undecided": "undecided",
}


class MathDomain(Domain):
    """Compares the boxed answer with the gold answer, symbolically where that is needed.

    `rules` as in `answers.rules`. While entered it owns the answer checker and its processes.
    """

    def __init__(self, rules: RulesName = "strict") -> None:
        self._rules = rules
        self._checker: Checker | None = None
        self._stack = AsyncExitStack()

    @classmethod
    def of(cls, recipe: Recipe) -> Self:
        return cls(recipe.answers.rules)

    async def __aenter__(self) -> Self:
        self._checker = await self._stack.enter_async_context(open_checker(rules=self._rules))
        return self

    async def __aexit__(self, *error: object) -> None:
        self._checker = None
        await self._stack.aclose()

    @classmethod
    def read_problem(
        cls, row: Mapping[str, Any], columns: ProblemsConfig, where: str
    ) -> tuple[str, str]:
        """GSM8K's answer column holds a whole solution, with the answer behind a mark."""
        question = required_column(row, columns.question, where, most=QUESTION_CHARACTERS)
        answer = required_column(row, columns.answer, where, most=ANSWER_CHARACTERS)
        return question, answer.rpartition(GSM8K_ANSWER_MARK)[2].strip() or answer

    def generate(
        self, count: int, levels: Sequence[int], seed: int, split: GeneratedSplit
    ) -> Sequence[WordProblem]:
        """Word problems; the level is the number of operations."""
        return word_problems(count, levels, seed, split)

    async def verify(
        self, problem: Problem, path: Sequence[PathStep], executor: Executor
    ) -> Verification:
        answer = extract_answer(path[-1].text)
        if answer is None:
            return Verification("", "wrong")
        return Verification(answer, _VERDICTS[await self._open.equal(problem.answer, answer)])

    def step_judge(self, question: str) -> StepJudge | None:
        """For generated problems, whose sentences have a known meaning; an answer is right if it is
        what the program printed."""
        judge = program_judge(question)
        if judge is None:
            return None

        def judge_step(path: Sequence[PathStep]) -> bool | None:
            if path[-1].step.kind is StepKind.ANSWER:
                printed = "".join(step.stdout for step in path).strip()
                return extract_answer(path[-1].text) == printed
            program = program_of(step.step for step in path)
            return judge(program) if program else None

        return judge_step

    async def group(
        self, problem: Problem, answers: Iterable[str], executor: Executor
    ) -> dict[str, str]:
        """Answers that are mathematically equal are one vote."""
        return await group_equal(answers, self._open)

    @property
    def _open(self) -> Checker:
        assert self._checker is not None, "verify inside `async with domain`"
        return self._checker
