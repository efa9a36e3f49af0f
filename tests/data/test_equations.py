import pytest

from rstar_async.data.equations import solution_of_equation
from rstar_async.errors import BadInput

GAMES = "Oliver made 35 dollars. If he spent 7 dollars, how many 4 dollar games could he buy?"
TOYS = "A shop has 9 cups. It gets 3 more. 2 cups break. How many cups does it have now?"


def test_each_operation_is_a_step_that_quotes_its_numbers_and_the_last_one_what_is_asked():
    steps, printed = solution_of_equation(TOYS, "(9 + 3) - 2", "here")
    assert steps == (
        "# A shop has 9 cups. It gets 3 more.\npart_1 = 9 + 3",
        "# How many cups does it have now?\nprint(part_1 - 2)",
    )
    assert printed == "10"


def test_what_is_printed_is_what_python_prints():
    assert solution_of_equation(GAMES, "(35 - 7) / 4", "here").printed == "7.0"
    assert solution_of_equation("What?", "0.1 + 0.2", "here").printed == str(0.1 + 0.2)
    assert solution_of_equation("What?", "-3 + 8", "here").printed == "5"


def test_operands_on_both_sides_are_computed_from_left_to_right():
    steps, printed = solution_of_equation("How many?", "(1 + 2) * (3 + 4)", "here")
    assert [step.splitlines()[1] for step in steps] == [
        "part_1 = 1 + 2",
        "part_2 = 3 + 4",
        "print(part_1 * part_2)",
    ]
    assert printed == "21"


def test_a_number_with_thousands_separators_is_found_in_its_sentence():
    steps, _ = solution_of_equation("It cost $1,200. He paid 5. Left?", "(1200 - 5) * 2", "here")
    assert steps[0].startswith("# It cost $1,200. He paid 5.\n")


def test_an_operation_without_numbers_of_the_text_quotes_what_is_asked():
    steps, _ = solution_of_equation("He has a dozen. How much?", "(60 * 12) * 3", "here")
    assert steps[0] == "# How much?\npart_1 = 60 * 12"


def test_the_left_side_of_an_equation_is_left_out():
    assert solution_of_equation("What?", "X=( 8.0 - 3.0 )", "here").printed == "5.0"


@pytest.mark.parametrize(
    "equation",
    [
        "",
        "x + 1",
        "2 ** 99999999",
        "9 // 2",
        "__import__('os')",
        "1 / 0",
        "True + 1",
        "'a' * 9",
        "1 +",
        "9" * 600,
        "(" * 400,
        "1e308 * 10",
        "1\0",
    ],
)
def test_other_equations_are_refused_by_name(equation):
    with pytest.raises(BadInput, match=r"^row 7: the equation .* is not one of numbers"):
        solution_of_equation("What?", equation, "row 7")
