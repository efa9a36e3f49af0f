from rstar_async.evaluation.selection import choose_answer
from rstar_async.search.tree import Candidate, NodeStatus, Selection, Tree
from rstar_async.text.steps import Step, StepKind


def answer(text: str, prior: float | None = None) -> Candidate:
    step = Step(StepKind.ANSWER)
    return Candidate(text, NodeStatus.ANSWER, step, prior=prior, value=prior, answer=text)


def tree_of(*answers: Candidate) -> Tree:
    tree = Tree(Selection())
    tree.expand(tree.root, answers)
    return tree


def test_the_highest_ppm_value_wins():
    choice = choose_answer(tree_of(answer("1", 0.2), answer("2", 0.9), answer("1", 0.3)))
    assert (choice.answer, choice.found) == ("2", 3)


def test_without_a_ppm_the_majority_wins():
    assert choose_answer(tree_of(answer("1"), answer("2"), answer("2"))).answer == "2"


def test_the_earliest_answer_wins_a_tie():
    assert choose_answer(tree_of(answer("1"), answer("2"))).answer == "1"


def test_a_search_without_answers_chooses_nothing():
    assert choose_answer(tree_of()) is None
