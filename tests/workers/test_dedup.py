"""Which programs are the same."""

import pytest

from rstar_async.wire.payloads import Execute, Limits
from workers.dedup import MAX_CHARACTERS, normal_form


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("x = 1", "x  =  1  # one", True),
        ("# a\nx = 1\n\n\ny = 2", "x = 1; y = 2", True),
        ("if a:\n  b", "if a:\n        b", True),
        ("print('a')", 'print("a",)', True),
        ("x = 1 + 2 * 3", "x = (1 + (2 * 3))", True),
        ("x = 0x10", "x = 16", True),
        ("x = 'ab'", "x = 'a' 'b'", True),
        ("if a:\n  b\nc", "if a:\n  b\n  c", False),
        ("x = 'a  b'", "x = 'a b'", False),
        ("x = 1", "x = 1.0", False),
        ("x = 1", "x = True", False),
        ("x = b'a'", "x = 'a'", False),
        ("x = 1", "y = 1", False),
        ("f(a, b)", "f(b, a)", False),
        ("f(a)(b)", "f(a, b)", False),
        ("[a, [b]]", "[[a], b]", False),
        ("x = (", "x = ( ", False),
        ("x = (1 + 2) * 3", "x = 1 + 2 * 3", False),
    ],
)
def test_programs_are_equal_if_their_syntax_trees_are(one, other, same):
    first, second = (normal_form(Execute("t", ["a", step])) for step in (one, other))
    assert (first == second) == same


def test_programs_with_other_trees_prefixes_or_limits_are_not_equal():
    base = Execute("t", ["a", "b"])
    others = [Execute("u", ["a", "b"]), Execute("t", ["a ", "b"]), Execute("t", ["b"])]
    others.append(Execute("t", ["a", "b"], Limits(wall_seconds=1)))
    assert normal_form(base) not in [normal_form(other) for other in others]


@pytest.mark.parametrize("piece", ["(", "-", "not ", "a.", "a+", "lambda:", "f'{", "x if x else "])
def test_no_text_is_too_hostile_to_be_compared(piece):
    source = (piece * MAX_CHARACTERS)[: MAX_CHARACTERS - 1] + "1"
    assert normal_form(Execute("t", [source])) == normal_form(Execute("t", [source]))
    assert normal_form(Execute("t", [source])) != normal_form(Execute("t", [source + " "]))


@pytest.mark.parametrize("source", ["a\0", "'\ud800'", "x = '\\d'", "9" * 4000])
def test_what_cannot_be_parsed_equals_itself(source):
    assert normal_form(Execute("t", [source])) == normal_form(Execute("t", [source]))
