"""Programs and their tests, each in its own interpreter of a real sandbox."""

from rstar_async.domains.programming.domain import report_on, verdict_of
from rstar_async.domains.programming.problem import ProblemTests
from rstar_async.domains.programming.verification import TestResult

ADD = ProblemTests(
    "add",
    (
        "assert add(1, 2) == 3",
        "assert add(0, 0) == 0",
        "for n in range(5):\n    assert add(n, n) == 2 * n",
        "assert add([1], [2]) == [1, 2]",
    ),
)
RIGHT = ["right"] * 4


def verdicts(results):
    return [result.verdict for result in results]


def test_each_test_has_its_own_verdict(judge):
    right, half, none = judge(
        ADD,
        ["def add(a, b):\n    return a + b"],
        ["x = 2", "def add(a, b): return x * a"],
        ["def plus(a, b): return a + b"],
    )
    assert verdicts(right) == RIGHT
    assert verdicts(half) == ["wrong", "right", "right", "wrong"]
    assert half[0].reason == "it returned 2"
    assert {result.reason for result in none} == {"it does not define add"}


def test_what_ends_one_call_is_wrong_for_that_test_only(judge):
    body = "def add(a, b):\n    if a == 1:\n        {}\n    return a + b"
    ends = [
        "import os; os._exit(0)",
        "import sys; sys.exit(0)",
        "while True: pass",
        "raise OSError",
        "print('x' * 2_000_000)",
    ]
    *ended, floods = judge(ADD, *([body.format(end)] for end in ends))
    for results in ended:
        assert verdicts(results) == ["wrong", "right", "wrong", "right"]
    assert verdicts(floods) == RIGHT  # what a function prints is no part of its result


def test_names_that_a_program_redefines_do_not_reach_its_tests(judge):
    program = "len = list = print = exec = repr = 3\ndef add(a, b): return a + b"
    [results] = judge(ADD, [program])
    assert verdicts(results) == RIGHT


def test_results_of_any_plain_type_are_compared_as_what_they_are(judge):
    tests = ProblemTests(
        "give",
        (
            "assert give('set') == {1, (2, 3)}",
            "assert list(give('iterator')) == [0, 1]",
            "assert give('counter') == {'a': 2}",
            "assert give('bytes') == b'\\xff' and isinstance(give('float'), float)",
            "try:\n    give('error')\nexcept KeyError:\n    pass\nelse:\n    raise AssertionError",
            "items = [3, 1]\ngive(items)\nassert items == [1, 3]",
            "assert give(int) is str",
            "assert give('object') is not None",
        ),
    )
    program = """
import collections
class Own: pass
def give(what):
    if isinstance(what, list):
        return what.sort()
    values = {"set": {1, (2, 3)}, "iterator": iter(range(2)), "bytes": b"\\xff", "float": 1.0,
              "counter": collections.Counter("aa"), "object": Own(), int: str}
    return values[what]
"""
    [results] = judge(tests, [program])
    assert verdicts(results) == ["right"] * 7 + ["wrong"]
    assert results[-1].reason == "it gave a value of type Own"


def test_objects_of_the_programs_own_classes_can_be_arguments(judge):
    tests = ProblemTests(
        "size",
        ("assert size(Pair(1, 2)) == 3", "assert size(two) == 5"),
        fixtures="two = Pair(2, 3)",
    )
    program = (
        "class Pair:\n    def __init__(self, a, b): self.a, self.b = a, b\n"
        "def size(pair): return pair.a + pair.b"
    )
    [results] = judge(tests, [program])
    assert verdicts(results) == ["right", "right"]


def test_a_test_that_cannot_run_says_nothing_about_a_program(judge):
    tests = ProblemTests(
        "f",
        (
            "import no_such_library\nassert f(1) == 1",
            "x = 1 / 0\nassert f(1) == 1",
            "while True: pass\nassert f(1) == 1",
            "if False: f(1)",
            "assert f(1) == 1",
            "import os\nos.write(1, b'x' * 3_000_000)\nassert f(1) == 1",
        ),
    )
    [results] = judge(tests, ["def f(x): return x"])
    assert verdicts(results) == ["broken"] * 4 + ["right", "broken"]
    assert "no_such_library" in results[0].reason
    assert verdict_of(results) == "undecided"


def test_a_program_cannot_blame_its_tests(judge):
    tests = ProblemTests("f", ("assert f(1) == 1",))
    [results] = judge(tests, ["def f(x): raise ImportError('the test cannot run')"])
    assert verdicts(results) == ["wrong"]


def test_the_setup_is_there_for_program_and_tests_and_helpers_for_tests_alone(judge):
    tests = ProblemTests(
        "f",
        ("assert close(f(2), BASE + 2)",),
        setup="BASE = 40",
        helpers="def close(a, b):\n    return abs(a - b) < 1e-6",
    )
    with_setup, with_helper = judge(
        tests, ["def f(x): return BASE + x"], ["def f(x): return x if close(1, 1) else 0"]
    )
    assert verdicts(with_setup) == ["right"]
    assert "NameError" in with_helper[0].reason


def test_a_report_counts_what_passes_and_says_why_the_rest_does_not():
    results = [TestResult("right"), TestResult("wrong", "it returned 4")]
    assert report_on(results) == "TestsFailed: 1 of 2 pass\ntest 2 wrong: it returned 4"
    assert report_on(results[:1]) == ""
    assert (verdict_of(results), verdict_of(results[:1])) == ("wrong", "right")
