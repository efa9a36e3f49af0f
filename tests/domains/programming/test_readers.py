"""Rows of data sets as problems."""

import pytest

from rstar_async.config import ProblemsConfig
from rstar_async.domains.programming.problem import read_tests
from rstar_async.domains.programming.readers import read_row
from rstar_async.domains.programming.splitting import split_tests
from rstar_async.errors import BadInput

COLUMNS = ProblemsConfig(domain="programming")
HUMANEVAL = {
    "task_id": "HumanEval/900",
    "prompt": "import math\n\n\n"
    'def half(x):\n    """Half of it.\n    >>> half(2)\n    1.0\n    """\n',
    "entry_point": "half",
    "canonical_solution": "    return x / 2\n",
    "test": "METADATA = {'author': 'x'}\n\n\ndef check(candidate):\n"
    "    assert candidate(4) == 2\n    assert True, 'fine'\n"
    "    big = 10\n    assert math.isclose(candidate(big), 5)\n",
}
MBPP = {
    "text": "Write a function that adds.",
    "code": "def helper(a):\r\n  return a\r\ndef add(a, b):\r\n  return helper(a) + b",
    "test_list": ["assert add(1, 2) == 3", "assert set(add([1], [2])) == set([2, 1])"],
    "challenge_test_list": ["assert add(0, 0) == 0"],
    "test_setup_code": "",
}


def read(row, columns=COLUMNS):
    question, answer = read_row(row, columns, "row 1")
    return question, read_tests(answer)


def test_humaneval_gives_one_test_for_each_assertion():
    question, tests = read(HUMANEVAL)
    assert question == HUMANEVAL["prompt"].strip()
    assert tests.entry_point == "half"
    assert tests.tests == ("assert half(4) == 2", "big = 10\nassert math.isclose(half(big), 5)")
    assert tests.public == ("assert half(2) == 1.0",)
    assert tests.setup == "import math"
    assert tests.solution.endswith("return x / 2\n")


def test_mbpp_shows_its_first_test_and_hides_the_others():
    question, tests = read(MBPP)
    assert tests.entry_point == "add"
    assert question.endswith("The function is `add`.\nExample: assert add(1, 2) == 3")
    assert tests.public == ("assert add(1, 2) == 3",)
    assert tests.tests == ("assert set(add([1], [2])) == set([2, 1])", "assert add(0, 0) == 0")


def test_any_row_can_be_read_by_the_names_of_its_columns():
    columns = ProblemsConfig(
        domain="programming", question="task", answer="checks", entry_point="name", setup="before"
    )
    row = {"task": "Double it.", "checks": "assert f(1) == 2\nassert f(2) == 4", "name": "f"}
    assert read(row, columns)[1].tests == ("assert f(1) == 2", "assert f(2) == 4")
    several = {**row, "checks": ["assert f(1) == 2", "assert f(3) == 6"], "before": "import math"}
    assert read(several, columns)[1].tests == ("assert f(1) == 2", "assert f(3) == 6")
    assert read(several, columns)[1].setup == "import math"
    stored = read(row, columns)[1].stored()
    assert read({"task": "Double it.", "checks": stored}, columns)[1].stored() == stored


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({"question": "q", "answer": []}, "row 1: column 'answer' is empty"),
        ({"question": "q", "answer": "x = 1", "entry_point": "f"}, "row 1: it has no tests"),
        (
            {"question": "q", "answer": "assert (", "entry_point": "f"},
            "column 'answer' is no Python",
        ),
        ({"question": "q", "answer": "assert 1 == x"}, "no function is called by all tests"),
        ({"question": "q", "answer": "assert f(1)", "entry_point": "f()"}, "no name of a function"),
        ({"question": "q", "answer": '{"tests": []}'}, "no JSON object with entry_point and tests"),
        ({"question": "q"}, "no column 'answer'"),
        ({**HUMANEVAL, "test": "def check(candidate):\n    pass"}, "row 1: it has no tests"),
        ({**HUMANEVAL, "prompt": "def ("}, "row 1: its prompt is no Python"),
    ],
)
def test_a_row_without_usable_tests_is_refused_in_one_line(row, complaint):
    with pytest.raises(BadInput, match=complaint.replace("(", r"\(").replace(")", r"\)")) as error:
        read(row)
    assert "\n" not in str(error.value)


def test_data_goes_with_each_test_that_comes_after_it():
    source = "import math, os\nx = [1]\nassert f(x) == 1\nfor y in x:\n    assert f(y) == 2"
    assert split_tests(source, "f") == [
        "x = [1]\nassert f(x) == 1",
        "x = [1]\nfor y in x:\n    assert f(y) == 2",
    ]


def test_a_source_whose_tests_depend_on_each_other_stays_one_test():
    body = "def check(candidate):\n    for n in range(3):\n        assert candidate(n)\n"
    source = body + "    assert candidate(n) == 2"
    assert split_tests(source, "f") == [source + "\ncheck(f)"]
