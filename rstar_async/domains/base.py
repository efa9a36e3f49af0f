"""The seam for kinds of problems. Search, training and evaluation know a problem only through it.

A problem is a stored row: `question` is what the model reads, `answer` is what `verify` compares a
solution with, in the domain's own notation (a number, tests as JSON, empty if unknown).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self, TypeAlias

from rstar_async.config import ProblemsConfig, Recipe
from rstar_async.domains.columns import required_column
from rstar_async.errors import BadInput
from rstar_async.text.prompts import MATH_PROMPTS, Prompts
from rstar_async.text.steps import Step, parse_step
from rstar_async.wire.payloads import Executed, Limits
from storage.records import Problem

Verdict: TypeAlias = Literal["right", "wrong", "undecided"]
GeneratedSplit: TypeAlias = Literal["demonstration", "train", "heldout"]


@dataclass(frozen=True, slots=True)
class PathStep:
    """A step of a solution: the text that the policy wrote, parsed, and what its code printed."""

    text: str
    step: Step
    stdout: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """The answer that a solution gives ("" if none) and whether it is right.

    Undecided solutions are neither rewarded nor trained on. `report` says in words what failed; it
    is stored as the error of the last step.
    """

    answer: str
    verdict: Verdict
    report: str = ""

    @property
    def is_correct(self) -> bool | None:
        return None if self.verdict == "undecided" else self.verdict == "right"


class Executor(Protocol):
    """Runs programs in the sandbox."""

    async def run(self, program: Sequence[str], limits: Limits = Limits()) -> Executed:  # noqa: B008
        """Run the last source in the state that the sources before it left behind.

        A program that fails is a result like any other; `JobFailed` says that the pool failed, or
        with kind "dead" that the program killed its workers.
        """
        ...


class GeneratedProblem(Protocol):
    """A problem made by `Domain.generate`, with a solution in the trajectory format."""

    @property
    def question(self) -> str: ...
    @property
    def answer(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def level(self) -> int: ...
    @property
    def solution(self) -> str: ...


# Whether the last step of a path is right in itself, None if that cannot be told. Pure.
StepJudge: TypeAlias = Callable[[Sequence[PathStep]], bool | None]


class Domain(ABC):
    """A kind of problem. Subclasses must say when a solution is right; the rest has defaults.

    `verify` and `group` are called inside `async with domain`, by any number of tasks at once; all
    else works outside of it too.
    """

    prompts: Prompts = MATH_PROMPTS
    # Whether `reward` values steps, in place of a PPM.
    rewards_steps: bool = False

    @classmethod
    def of(cls, recipe: Recipe) -> Self:
        """The domain under the settings of a recipe."""
        return cls()

    async def __aenter__(self) -> Self:
        """Start what verification needs."""
        return self

    async def __aexit__(self, *error: object) -> None:  # noqa: B027  nothing to stop by default
        """Stop it."""

    @classmethod
    def read_problem(
        cls, row: Mapping[str, Any], columns: ProblemsConfig, where: str
    ) -> tuple[str, str]:
        """Question and answer in a row of a problem file; `BadInput` starts with `where`."""
        return (
            required_column(row, columns.question, where),
            required_column(row, columns.answer, where),
        )

    def generate(
        self, count: int, levels: Sequence[int], seed: int, split: GeneratedSplit
    ) -> Sequence[GeneratedProblem]:
        """`count` different problems for `problems.source = "generated"`, the levels in turn.

        Equal arguments give equal problems; splits must be disjoint.
        """
        raise BadInput(
            "this domain generates no problems: set problems.source to a file of them, and "
            "bootstrap.source to one of solved examples where demonstrations are wanted"
        )

    def parse_step(self, text: str, *, after_output: bool) -> Step:
        """Parse what the policy wrote up to a stop; `after_output` tells that an interpreter's
        output came before.

        A step of kind `ANSWER` ends a path and is verified; code in it is executed first.
        """
        return parse_step(text, after_output=after_output)

    @abstractmethod
    async def verify(
        self, problem: Problem, path: Sequence[PathStep], executor: Executor
    ) -> Verification:
        """Whether `path`, from the first step to one of kind `ANSWER`, solves the problem."""

    async def fault(self, problem: Problem, executor: Executor) -> str:
        """Why solutions of the problem cannot be judged, in a few words; "" if they can.

        Called once for each problem before a run or an evaluation searches it.
        """
        return ""

    async def reward(self, problem: Problem, path: Sequence[PathStep], executor: Executor) -> float:
        """The value in [-1, 1] of the last step of `path`, which ran without an error.

        Called only if `rewards_steps`. It must not use the problem's own answer.
        """
        raise NotImplementedError

    def step_judge(self, question: str) -> StepJudge | None:
        """What tells right steps from wrong ones, where the truth about this question is known, as
        that of generated ones is; None, the default, where it is not.

        It only measures how many labels of the search are right; nothing learns from it.
        """
        return None

    async def group(
        self, problem: Problem, answers: Iterable[str], executor: Executor
    ) -> dict[str, str]:
        """Which answers are one vote: each answer with the first one that it is equal to.

        The default compares them as texts. The problem's own answer must not be used.
        """
        return {answer: answer for answer in answers}


class Equality(Protocol):
    """Compares two answers."""

    async def equal(self, gold: str, predicted: str) -> str: ...


async def group_equal(answers: Iterable[str], equality: Equality) -> dict[str, str]:
    """Each answer with the first one that it equals, compared pair by pair."""
    groups: dict[str, str] = {}
    firsts: list[str] = []
    for answer in dict.fromkeys(answers):
        for first in firsts:
            if await equality.equal(first, answer) == "equal":
                groups[answer] = first
                break
        else:
            firsts.append(answer)
            groups[answer] = answer
    return groups
