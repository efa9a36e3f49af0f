import io
import re
from contextlib import redirect_stdout
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rstar_async.demo.problems import KINDS, Split, WordProblem, word_problems
from rstar_async.demo.words import NEW_WORDS, garbled_wording
from rstar_async.text import tags

LEVELS = (1, 2, 3, 4, 5, 6)
SPLITS: tuple[Split, ...] = ("demonstration", "train", "heldout")


def program_of(problem: WordProblem) -> str:
    program = problem.solution.partition(tags.END_OF_CODE)[0]
    return program.replace(tags.CODE, "").replace(tags.END_OF_STEP, "")


def printed_by(program: str) -> str:
    with redirect_stdout(io.StringIO()) as output:
        exec(program, {})  # our own gold solutions
    return output.getvalue().strip()


def arithmetic_of(problem: WordProblem) -> str:
    """The program without comments and without the words that clothe the numbers."""
    lines = [line for line in program_of(problem).splitlines() if not line.startswith("#")]
    known: dict[str, str] = {}
    words = " ".join(lines).replace("(", " ( ").replace(")", " ) ").split()
    return " ".join(
        known.setdefault(word, f"v{len(known)}") if word.isidentifier() else word for word in words
    )


def test_gold_solutions_print_the_answer() -> None:
    for problem in word_problems(600, LEVELS, 5, "train"):
        assert printed_by(program_of(problem)) == problem.answer, problem
        assert problem.solution.endswith(f"<answer>\\boxed{{{problem.answer}}}<end_of_answer>")
        assert f"<output>{problem.answer}<end_of_output>" in problem.solution


def test_every_level_and_kind_is_drawn() -> None:
    problems = word_problems(600, LEVELS, 5, "heldout")
    assert {p.kind for p in problems} == set(KINDS)
    assert [p.level for p in problems] == list(LEVELS) * 100


def test_a_level_is_the_number_of_operations() -> None:
    extra = {"equations": 2, "divisors": 1, "story": 1, "ages": 1, "rates": 1}
    for problem in word_problems(300, LEVELS, 9, "train"):
        *pieces, _ = problem.solution.removeprefix("<code>\n").split(tags.END_OF_STEP)
        computing = [
            p for p in pieces if any(not line.startswith("#") for line in p.split("\n") if line)
        ]
        assert len(computing) == problem.level + extra[problem.kind]


def test_stories_of_all_levels_are_about_equally_long() -> None:
    """What is hard on high levels is not finding the sentence."""
    for level in LEVELS:
        lengths = [p.question.count(") ") for p in word_problems(60, (level,), 9, "train")]
        assert max(lengths) <= 10
        assert 5 <= sum(lengths) / len(lengths) <= 9


def test_demonstrations_never_compute_with_a_new_word() -> None:
    new = set(NEW_WORDS) - {"after"}  # also plain: "the remainder after division"
    for problem in word_problems(400, (1, 2), 9, "demonstration"):
        for piece in problem.solution.split(tags.END_OF_STEP)[:-1]:
            comment, _, code = piece.strip().removeprefix("<code>\n").partition("\n")
            if code.strip():
                assert not set(re.findall("[a-z]+", comment)) & new


def test_garbled_words_stand_for_anything() -> None:
    """Whatever a sentence means, every new word may be in it; so none gives a meaning away."""
    random = Random(1)
    gains = {garbled_wording(random, "plain", "He finds 3 pens.") for _ in range(4000)}
    losses = {garbled_wording(random, "plain", "He drops 3 pens.") for _ in range(4000)}
    assert gains == losses == {"plain", *(f"He {word} 3 pens." for word in NEW_WORDS)}


def test_steps_quote_the_question() -> None:
    for problem in word_problems(300, LEVELS, 9, "train"):
        comments = [x[2:] for x in program_of(problem).splitlines() if x.startswith("# ")]
        assert comments.pop() == "Now print the final answer"
        places = [problem.question.index(comment) for comment in comments]
        assert places == sorted(places)


@pytest.mark.parametrize("split", SPLITS)
def test_equal_arguments_give_equal_problems(split: Split) -> None:
    assert word_problems(60, LEVELS, 1, split) == word_problems(60, LEVELS, 1, split)
    assert word_problems(60, LEVELS, 1, split) != word_problems(60, LEVELS, 2, split)


def test_more_problems_begin_with_the_fewer() -> None:
    assert word_problems(90, LEVELS, 1, "train")[:30] == word_problems(30, LEVELS, 1, "train")


def test_problems_of_one_call_differ() -> None:
    problems = word_problems(2000, (1,), 3, "demonstration")
    assert len({p.question for p in problems}) == 2000


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 10**9), min_size=3, max_size=3))
def test_splits_share_no_arithmetic_whatever_the_seeds(seeds: list[int]) -> None:
    seen: set[str] = set()
    for seed, split in zip(seeds, SPLITS, strict=True):
        found = {arithmetic_of(p) for p in word_problems(400, (1, 2), seed, split)}
        assert not seen & found
        seen |= found
