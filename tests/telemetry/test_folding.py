import io

import pytest

from rstar_async.telemetry.folding import folded, folded_to

NOTE = "ppm-1 orders 51.2 % of held-out pairs right, beyond chance no better than the shorter step"


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_no_line_is_wider_than_the_window_and_no_word_is_lost(columns):
    lines = folded_to(columns, NOTE).splitlines()
    assert max(map(len, lines)) <= columns
    assert " ".join(lines) == NOTE


def test_a_path_or_an_option_stays_whole_however_long_it_is():
    path = "/a/folder-with-hyphens/" + "x" * 80
    lines = folded_to(40, f"cannot read {path}: use --bootstrap.kind demonstrations").splitlines()
    assert path + ":" in lines
    assert any("--bootstrap.kind" in line for line in lines)


def test_line_ends_stay_and_what_is_folded_is_indented():
    assert folded_to(10, "one two three\n\nfour", "  ").splitlines() == [
        "one two",
        "  three",
        "",
        "four",
    ]


def test_a_pipe_gets_the_line_as_it_is():
    assert folded(NOTE * 3, io.StringIO()) == NOTE * 3
