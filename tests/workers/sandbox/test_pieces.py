"""Programs cut into steps."""

import pytest

from workers.sandbox.selftest.corpus import pieces

PROGRAM = "# why\nimport math\n\n@cache\ndef f(x):\n    return x\n\n\nx = f(1); y = 2\nprint(x)\n"


def test_each_statement_is_a_piece_and_nothing_is_lost():
    cut = pieces(PROGRAM, 10)
    assert cut == [
        *("# why\nimport math\n", "@cache\ndef f(x):\n    return x\n\n"),
        *("x = f(1); y = 2", "print(x)\n"),
    ]
    assert "\n".join(cut) == PROGRAM


@pytest.mark.parametrize("most", [1, 2, 3])
def test_there_are_no_more_pieces_than_wanted(most):
    assert len(pieces(PROGRAM, most)) <= most
    assert "\n".join(pieces(PROGRAM, most)) == PROGRAM


@pytest.mark.parametrize(
    "source",
    ["", "# words", "x = = 1", "a\0b", "x = '''\n\n'''", "(" * 9000, "x\r\ny", "x\n" * 20_000],
)
def test_what_cannot_be_cut_is_one_piece(source):
    assert pieces(source, 5) == [source]
