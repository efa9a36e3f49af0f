"""Every kind of answer of `kinds`: right ones are found, wrong ones never."""

import itertools
import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rstar_async.answers.equivalence import compare
from rstar_async.answers.extract import extract_answer
from tests.answers.kinds import EQUAL, UNEQUAL, pairs

ANSWERS = sorted({text for _, *both in pairs(EQUAL) + pairs(UNEQUAL) for text in both})


@pytest.mark.parametrize("kind", EQUAL)
def test_right_answers_of_a_kind_are_equal(kind: str):
    found = {pair[1:]: compare(*pair[1:]) for pair in pairs({kind: EQUAL[kind]})}
    assert found == dict.fromkeys(found, "equal")


@pytest.mark.parametrize("kind", UNEQUAL)
def test_wrong_answers_of_a_kind_are_never_equal(kind: str):
    for _, gold, predicted in pairs({kind: UNEQUAL[kind]}):
        assert compare(gold, predicted) in ("different", "undecided"), (gold, predicted)


def test_any_two_of_some_hundred_answers_can_be_compared(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING):
        for gold, predicted in itertools.product(ANSWERS[::2], ANSWERS[::3]):
            compare(gold, predicted)
    assert caplog.messages == []


def test_values_without_order_or_names_compare_alike_in_both_directions():
    values = [text for text in ANSWERS if not set(text) & set(",;(){}[]=<>:")]
    for one, other in itertools.combinations(values[::2], 2):
        forth, back = compare(one, other), compare(other, one)
        assert (forth == "equal") == (back == "equal"), (one, other)


@settings(max_examples=200, deadline=None)
@given(
    st.text(st.characters(exclude_categories=()), max_size=12),
    st.sampled_from(ANSWERS),
)
def test_any_characters_can_be_compared(text: str, answer: str):
    compare(text, answer)
    compare(answer + text, answer)
    extract_answer("\\boxed{" + text + "}")


def test_an_error_inside_is_logged_and_undecided(caplog: pytest.LogCaptureFixture):
    class Broken(str):
        def strip(self, chars: str | None = None) -> str:
            raise RuntimeError("broken")

    assert compare(Broken("7"), "7") == "undecided"
    assert "broken" in caplog.text
