import pytest

from rstar_async.demo.problems import word_problems
from rstar_async.demo.questions import EXAMPLE, as_numbered, unknown_sentences


def test_sentences_are_numbered_unless_they_are():
    numbered = "1) Tom has 12 coins. 2) How many coins does Tom have now?"
    assert as_numbered("Tom has 12 coins. How many coins does Tom have now?") == numbered
    assert as_numbered(numbered) == numbered


@pytest.mark.parametrize("split", ["demonstration", "train", "heldout"])
def test_no_sentence_of_a_generated_problem_is_unknown(split):
    for problem in word_problems(60, (1, 2, 3, 4, 5, 6), 99, split):
        assert unknown_sentences(problem.question) == []


def test_the_example_that_is_offered_is_known():
    assert unknown_sentences(EXAMPLE) == []


def test_sentences_like_no_template_are_named_as_they_are():
    question = "Tom has 12 coins. He hides 3 coins. How many coins does Tom have now?"
    assert unknown_sentences(question) == ["He hides 3 coins."]
    assert unknown_sentences("What is the derivative of x^2?") == ["What is the derivative of x^2?"]
