from rstar_async.config import ProblemsConfig
from rstar_async.domains.base import PathStep, group_equal
from rstar_async.domains.math import MathDomain
from rstar_async.text.steps import Step, StepKind
from storage.records import Problem

HALF = Problem("p", "run", "What is a half of 1?", "1/2")


def solution(text: str) -> list[PathStep]:
    return [PathStep(text, Step(StepKind.ANSWER))]


async def verdict(text: str) -> tuple[str, bool | None]:
    async with MathDomain() as domain:
        found = await domain.verify(HALF, solution(text), executor=None)
    return found.answer, found.is_correct


async def test_an_answer_is_right_if_it_is_equal_to_the_gold_answer():
    assert await verdict("<answer>\\boxed{0.5}<end_of_answer>") == ("0.5", True)
    assert await verdict("<answer>\\boxed{2}<end_of_answer>") == ("2", False)


async def test_an_answer_without_a_box_is_wrong():
    assert await verdict("<answer>a half<end_of_answer>") == ("", False)


async def test_equal_answers_are_one_vote():
    async with MathDomain() as domain:
        groups = await domain.group(HALF, ["0.5", "2", "1/2", "\\frac{1}{2}"], executor=None)
    assert groups == {"0.5": "0.5", "2": "2", "1/2": "0.5", "\\frac{1}{2}": "0.5"}


async def test_undecided_answers_are_not_one_vote():
    class Halves:
        async def equal(self, gold: str, predicted: str) -> str:
            same = {gold, predicted} <= {"1/2", "0.5", "\\frac{1}{2}"}
            return "equal" if same else "undecided"

    groups = await group_equal(["3", "1/2", "0.5", "\\frac{1}{2}", "3"], Halves())
    assert groups == {"3": "3", "1/2": "1/2", "0.5": "1/2", "\\frac{1}{2}": "1/2"}


def test_the_answer_of_gsm8k_is_what_follows_the_mark():
    row = {"question": "2 + 2?", "answer": "so\n#### 4"}
    assert MathDomain.read_problem(row, ProblemsConfig(), "line 1") == ("2 + 2?", "4")
