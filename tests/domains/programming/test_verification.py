"""Programs and their tests, each in its own interpreter of a real sandbox."""

from rstar_async.domains.programming.problem import ProblemTests

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
    right, half = judge(ADD, ["def add(a, b):\n    return a + b"], ["def add(a, b): return 2 * a"])
    assert verdicts(right) == RIGHT
    assert verdicts(half) == ["wrong", "right", "right", "wrong"]
    assert half[0].reason == "it returned 2"


def test_what_ends_one_call_is_wrong_for_that_test_only(judge):
    body = "def add(a, b):\n    if a == 1:\n        {}\n    return a + b"
    ends = [
        "import os; os._exit(0)",
        "import sys; sys.exit(0)",
        "while True: pass",
        "raise OSError",
    ]
    for results in judge(ADD, *([body.format(end)] for end in ends)):
        assert verdicts(results) == ["wrong", "right", "wrong", "right"]
