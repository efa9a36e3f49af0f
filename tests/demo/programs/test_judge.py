import pytest

from rstar_async.demo.programs.judge import program_judge, read_task
from rstar_async.demo.programs.tasks import program_tasks
from tests.demo.programs.test_tasks import LEVELS, steps_of

QUESTION = (
    "1) Take a list of numbers. 2) Keep the numbers above 7. 3) This is for Ann. "
    "4) Mirror the numbers. 5) Return the result.\nassert solve([9, 8]) == [8, 9]"
)
FIRST = "# 1) Take a list of numbers.\ndef f1(v): return v\nexample = [9, 8]"
SECOND = "# 2) Keep the numbers above 7.\ndef f2(v): return [x for x in f1(v) if x > 7]"


def verdict(*program: str) -> bool | None:
    judge = program_judge(QUESTION)
    assert judge is not None
    return judge(program)


def test_every_gold_step_is_right() -> None:
    for task in program_tasks(120, LEVELS, 8, "train"):
        judge, program = program_judge(task.question), steps_of(task)
        assert judge is not None, task.question
        for end in range(1, len(program) + 1):
            assert judge(program[:end]) is True, program[:end]


def test_a_question_of_others_has_no_judge() -> None:
    assert read_task("Write a function that adds two numbers.") is None
    assert read_task(QUESTION.replace("Mirror", "Paint")) is None


@pytest.mark.parametrize(
    "body",
    ["[x for x in f1(v) if x < 7]", "[x for x in f1(v) if x > 8]", "f1(v)[:7]", "sum(f1(v))"],
)
def test_another_operation_is_wrong(body: str) -> None:
    assert verdict(FIRST, f"# 2) Keep the numbers above 7.\ndef f2(v): return {body}") is False


def test_a_step_that_defines_nothing_is_wrong_unless_it_quotes_an_aside() -> None:
    assert verdict(FIRST, "# 2) Keep the numbers above 7.") is False
    assert verdict(FIRST, SECOND, "# 3) This is for Ann.") is True


def test_a_body_that_is_no_operation_has_no_verdict() -> None:
    other = "# 2) Keep the numbers above 7.\ndef f2(v): return list(filter(bool, f1(v)))"
    assert verdict(FIRST, other) is None


def test_a_step_must_continue_the_newest_function() -> None:
    mirrored = "# 4) Mirror the numbers.\ndef f4(v): return {}(v)[::-1]"
    assert verdict(FIRST, SECOND, mirrored.format("f2")) is True
    assert verdict(FIRST, SECOND, mirrored.format("f1")) is not True


def test_only_asides_may_be_passed_over() -> None:
    assert verdict(FIRST, "# 4) Mirror the numbers.\ndef f4(v): return f1(v)[::-1]") is False
