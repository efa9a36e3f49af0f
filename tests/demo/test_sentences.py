import pytest

from rstar_async.demo.judge import program_judge
from rstar_async.demo.problems import Split, word_problems
from rstar_async.demo.sentences import read_question

LEVELS = (1, 2, 3, 4, 5, 6)
SPLITS: tuple[Split, ...] = ("demonstration", "train", "heldout")


def program_of(solution: str) -> list[str]:
    """The sources of a gold solution's steps."""
    *steps, rest = solution.removeprefix("<code>\n").split("<end_of_step>\n")
    return [*(step.strip() for step in steps), rest.partition("<end_of_code>")[0].strip()]


@pytest.mark.parametrize("split", SPLITS)
def test_every_sentence_means_the_lines_of_its_gold_step(split: Split) -> None:
    for problem in word_problems(400, LEVELS, 7, split):
        sentences = read_question(problem.question)
        assert sentences is not None, problem.question
        program = program_of(problem.solution)
        for number, (sentence, source) in enumerate(zip(sentences, program, strict=True), start=1):
            comment, *lines = source.split("\n")
            assert comment == f"# {number}) {sentence.text}"
            assert [line for line in lines if not line.startswith("#")] == list(sentence.lines)


@pytest.mark.parametrize(
    "question",
    [
        "Tom has 3 coins. He buys 4 coins. How many coins does Tom have now?",
        "1) Tom has 3 coins. 3) How many coins does Tom have now?",
        "1) Tom has 3 coins. 2) He eats 4 coins. 3) How many coins does Tom have now?",
        "1) Tom has 3 coins. 2) Ann gives Ben 4 coins. 3) How many coins does Tom have now?",
        "1) Tom has 3 coins.",
        "",
    ],
)
def test_other_questions_are_not_read(question: str) -> None:
    assert read_question(question) is None
    assert program_judge(question) is None


def test_a_gift_is_a_gain_or_a_loss_by_who_gives_it() -> None:
    question = (
        "1) Tom has 9 pens. 2) Ann sends Tom 4 pens. 3) Tom gives Ann 2 pens. "
        "4) How many pens does Tom have now?"
    )
    sentences = read_question(question)
    assert sentences is not None
    assert [s.lines for s in sentences[1:3]] == [("pens = pens + 4",), ("pens = pens - 2",)]
