import pytest

from rstar_async.demo.judge import program_judge
from rstar_async.demo.problems import word_problems
from tests.demo.test_sentences import LEVELS, program_of

QUESTION = (
    "1) Tom has 8 coins. 2) He finds 4 coins. 3) The sun is shining. "
    "4) He opens 3 boxes of 5 coins. 5) How many coins does Tom have now?"
)
FIRST = "# 1) Tom has 8 coins.\ncoins = 8"
SECOND = "# 2) He finds 4 coins.\ncoins = coins + 4"


def verdict(*program: str, question: str = QUESTION) -> bool | None:
    judge = program_judge(question)
    assert judge is not None
    return judge(program)


def test_every_gold_step_is_right() -> None:
    for problem in word_problems(300, LEVELS, 8, "train"):
        program = program_of(problem.solution)
        for end in range(1, len(program) + 1):
            assert verdict(*program[:end], question=problem.question) is True


@pytest.mark.parametrize(
    "line",
    ["coins = coins + 4", "coins = 4 + coins", "coins += 4", "more = 4\ncoins = coins + more"],
)
def test_a_step_is_judged_by_what_it_does(line: str) -> None:
    assert verdict(FIRST, f"# 2) He finds 4 coins.\n{line}") is True
    assert verdict(FIRST, f"# 2) He fonds 4 coins.\n{line}") is True


@pytest.mark.parametrize(
    "line", ["coins = coins - 4", "coins = coins + 5", "more = coins + 4", "", "coins = 4"]
)
def test_a_step_that_does_something_else_is_wrong(line: str) -> None:
    assert verdict(FIRST, f"# 2) He finds 4 coins.\n{line}") is False


def test_a_right_step_after_a_wrong_one_is_right_in_itself() -> None:
    assert verdict("# 1) Tom has 8 coins.\ncoins = 9", SECOND) is True


def test_only_asides_may_be_passed_over() -> None:
    boxes = "# 4) He opens 3 boxes of 5 coins.\ncoins = coins + 3 * 5"
    assert verdict(FIRST, SECOND, boxes) is True
    assert verdict(FIRST, boxes) is False
    assert verdict(FIRST, SECOND, boxes, boxes) is False
    assert verdict(FIRST, SECOND, "# 9) What?\nprint(coins)") is False


def test_two_sentences_in_one_step_are_both_done() -> None:
    assert verdict(f"{FIRST}\n{SECOND}") is True
    assert verdict("# 1) Tom has 8 coins.\n# 2) He finds 4 coins.\ncoins = 8") is False


def test_what_is_printed_counts() -> None:
    asked = "# 5) How many coins does Tom have now?\n"
    boxes = "# 4) He opens 3 boxes of 5 coins.\ncoins = coins + 15"
    assert verdict(FIRST, SECOND, boxes, f"{asked}print(coins)") is True
    assert verdict(FIRST, SECOND, boxes, f"{asked}print(8)") is False
    assert verdict(FIRST, SECOND, boxes, asked) is False


def test_an_equation_is_judged_by_its_root() -> None:
    question = (
        "1) Tom thinks of a number. 2) He adds 4. 3) The result is 9. 4) What was the number?"
    )
    program = [
        '# 1) Tom thinks of a number.\nfrom sympy import symbols, solve\nx = symbols("x")\ny = x',
        "# 2) He adds 4.\ny = y + 4",
    ]
    for equation, right in (("y - 9", True), ("9 - y", True), ("y - 8", False)):
        step = f"# 3) The result is 9.\nx = solve({equation}, x)[0]"
        assert verdict(*program, step, question=question) is right


@pytest.mark.parametrize(
    "source",
    [
        "coins = coins + 4",  # quotes no sentence
        "# 2) He finds 4 coins.\ncoins = sum([coins, 4])",
        "# 2) He finds 4 coins.\ncoins = 9 ** 9 ** 9",
        "# 2) He finds 4 coins.\nimport os\nos.remove('x')",
        "# 2) He finds 4 coins.\ncoins = coins +",
        "# 2) He finds 4 coins.\ncoins = " + "(" * 2000 + "4" + ")" * 2000,
        "# 2) He finds 4 coins.\ncoins = " + "9" * 9000,
        "# 2) He finds 4 coins.\ncoins = coins" + " + 1" * 3000,
        "# 2) He finds 4 coins.\ncoins = '\\d'",
        "# 2) He finds 4 coins.\ncoins = coins % 0",
        "# 2) He finds 4 coins.\nwhile True: pass",
    ],
)
def test_what_cannot_be_carried_out_on_paper_has_no_verdict(source: str) -> None:
    assert verdict(FIRST, source) is None
