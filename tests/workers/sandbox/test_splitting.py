"""Programs split into steps."""

import pytest

from workers.sandbox.selftest.corpus import split_into_steps

PROGRAM = "# why\nimport math\n\n@cache\ndef f(x):\n    return x\n\n\nx = f(1); y = 2\nprint(x)\n"


def test_each_statement_is_a_step_and_nothing_is_lost():
    cut = split_into_steps(PROGRAM, 10)
    assert cut == [
        *("# why\nimport math\n", "@cache\ndef f(x):\n    return x\n\n"),
        *("x = f(1); y = 2", "print(x)\n"),
    ]
    assert "\n".join(cut) == PROGRAM


@pytest.mark.parametrize("most", [1, 2, 3])
def test_there_are_no_more_steps_than_wanted(most):
    assert len(split_into_steps(PROGRAM, most)) <= most
    assert "\n".join(split_into_steps(PROGRAM, most)) == PROGRAM


@pytest.mark.parametrize(
    "source",
    ["", "# words", "x = = 1", "a\0b", "x = '''\n\n'''", "(" * 9000, "x\r\ny", "x\n" * 20_000],
)
def test_what_cannot_be_split_is_one_step(source):
    assert split_into_steps(source, 5) == [source]
