"""Programs that behave alike are one vote."""

import json

import trio

from benchmarks.judging import open_executor
from rstar_async.domains.programming.inputs import MOST_INPUTS, common, varied
from rstar_async.domains.programming.problem import ProblemTests
from rstar_async.domains.programming.votes import votes

SUM = "def total(xs):\n    return sum(xs)"
LOOP = "def total(xs):\n    t = 0\n    for x in xs:\n        t += x\n    return t"
PRODUCT = "import math\ndef total(xs):\n    return math.prod(xs)"
CRASH = "def total(xs):\n    return xs.nothing"
CRASH_TOO = "def total(xs):\n    raise OSError"


def groups(tests, *programs):
    async def grouped():
        async with open_executor() as executor:
            return await votes(tests, programs, 0, executor)

    return trio.run(grouped)


def test_programs_that_behave_alike_are_one_vote():
    tests = ProblemTests("total", ("assert total([9]) == 9",), ("assert total([1, 2]) == 3",))
    found = groups(tests, SUM, LOOP, SUM, PRODUCT, CRASH, CRASH_TOO)
    assert found == {SUM: SUM, LOOP: SUM, PRODUCT: PRODUCT, CRASH: CRASH, CRASH_TOO: CRASH_TOO}


def test_programs_that_fail_an_example_of_the_description_vote_for_themselves():
    tests = ProblemTests("total", (), ("assert total([1, 2]) == 3",))
    copy = PRODUCT + "  # another text"
    assert groups(tests, SUM, PRODUCT, copy)[copy] == copy
    wrong = ProblemTests("total", (), ("assert total([1, 2]) == 4",))
    assert groups(wrong, SUM, LOOP) == {SUM: SUM, LOOP: SUM}


def test_without_any_example_programs_are_compared_on_common_values():
    found = groups(ProblemTests("", ()), SUM, LOOP, PRODUCT)
    assert (found[LOOP], found[PRODUCT]) == (SUM, PRODUCT)


def test_inputs_vary_what_is_shown_and_repeat_nothing():
    shown = ['["f", [[1, 2, 3], "ab"], {"dict": []}]']
    made = varied(shown, 1)
    assert made[0] == [[1, 2, 3], "ab"]
    assert len({json.dumps(one) for one in made}) == len(made) == MOST_INPUTS
    assert all(isinstance(xs, list) and isinstance(text, str) for xs, text in made)
    assert made == varied(shown, 1)
    assert all(len(arguments) == 2 for arguments in common(2, 0))
