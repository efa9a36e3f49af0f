import pytest

from rstar_async.demo.problems import word_problems
from rstar_async.demo.process import is_right_process
from rstar_async.reports.processes import program_in

GOLD = "rate = 18\ntotal = 0\ntotal = total + rate * 4\nprint(total)"


def test_every_generated_solution_is_its_own_right_process():
    for problem in word_problems(60, (1, 2, 3, 4, 5), 3, "train"):
        program = program_in(problem.solution)
        assert is_right_process(program, program) is True


@pytest.mark.parametrize(
    ("program", "verdict"),
    [
        ("rate = 18\ntotal = 0\ntotal += 4 * rate\nprint(total)", True),
        ("import math\nrate = 18\ntotal = 0\ntotal = 72", True),
        ("rate = 19\nrate = 18\ntotal = 0\ntotal = 72", False),
        ("total = 18 * 4\nprint(total)", False),
        ("rate = 18 * 4\ntotal = 0\ntotal = total + rate", False),
        ("for i in range(4): total = 18", None),
        ("rate = eval('18')", None),
        ("rate = 2 ** 10 ** 10", None),
        ("rate = 1 // 0", None),
        ("rate = = 18", None),
    ],
)
def test_values_are_compared_and_what_is_not_read_is_left_undecided(program, verdict):
    assert is_right_process(program, GOLD) is verdict


def test_a_misread_step_whose_answer_is_right_by_luck_is_found():
    gold = "n = 8\nn = math.gcd(n, 4)\nn = math.lcm(n, 4)"
    assert is_right_process("n = 8\nn = n - 4\nn = math.lcm(n, 4)", gold) is True
    assert is_right_process("n = 8\nn = n + 4\nn = math.gcd(n, 4)", gold) is False
