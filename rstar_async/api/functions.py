"""A caller's own verifier and reward, as a domain."""

import inspect
import math
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Self, TypeAlias, TypeVar

from rstar_async.domains.base import Domain, Executor, PathStep, Verdict, Verification
from rstar_async.errors import BadInput
from rstar_async.text.steps import Step
from storage.records import Problem

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Solution:
    """A solution, or the beginning of one: what a verifier or a reward is asked about.

    `steps` are the texts that the policy wrote, `output` what their code printed. `answer` is ""
    until the last step gives one.
    """

    question: str
    steps: tuple[str, ...]
    output: str
    answer: str

    @property
    def text(self) -> str:
        return "".join(self.steps)


# True: right, False: wrong, None: undecided. Either function may be async.
Verifier: TypeAlias = Callable[[Solution], bool | Awaitable[bool | None] | None]
# The value of the last step, from -1 (cannot lead to a right answer) to 1.
Reward: TypeAlias = Callable[[Solution], float | Awaitable[float]]

_VERDICTS: dict[bool | None, Verdict] = {True: "right", False: "wrong", None: "undecided"}


class FunctionDomain(Domain):
    """Another domain with its verification, its reward or both replaced by functions."""

    def __init__(self, domain: Domain, verifier: Verifier | None, reward: Reward | None) -> None:
        self._domain = domain
        self._verifier = verifier
        self._reward = reward
        self.prompts = domain.prompts
        self.rewards_steps = reward is not None or domain.rewards_steps

    async def __aenter__(self) -> Self:
        await self._domain.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._domain.__aexit__(*error)

    def parse_step(self, text: str, *, after_output: bool) -> Step:
        return self._domain.parse_step(text, after_output=after_output)

    async def verify(
        self, problem: Problem, path: Sequence[PathStep], executor: Executor
    ) -> Verification:
        found = await self._domain.verify(problem, path, executor)
        if self._verifier is None:
            return found
        is_right = await _result(self._verifier(_solution(problem, path, found.answer)))
        return Verification(found.answer, _VERDICTS[None if is_right is None else bool(is_right)])

    async def reward(self, problem: Problem, path: Sequence[PathStep], executor: Executor) -> float:
        if self._reward is None:
            return await self._domain.reward(problem, path, executor)
        answer = ""
        if path[-1].step.kind == "answer":
            answer = (await self._domain.verify(problem, path, executor)).answer
        value = float(await _result(self._reward(_solution(problem, path, answer))))
        if math.isnan(value) or not -1.0 <= value <= 1.0:
            raise BadInput(f"the reward function returned {value}; give a number from -1 to 1")
        return value

    async def fault(self, problem: Problem, executor: Executor) -> str:
        return "" if self._verifier else await self._domain.fault(problem, executor)

    async def group(
        self, problem: Problem, answers: Iterable[str], executor: Executor
    ) -> dict[str, str]:
        return await self._domain.group(problem, answers, executor)


def _solution(problem: Problem, path: Sequence[PathStep], answer: str) -> Solution:
    steps = tuple(step.text for step in path)
    return Solution(problem.question, steps, "".join(step.stdout for step in path), answer)


async def _result(value: T | Awaitable[T]) -> T:
    return await value if inspect.isawaitable(value) else value
