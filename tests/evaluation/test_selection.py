import pytest

from rstar_async.evaluation.selection import (
    RULES,
    Proposal,
    answer_of_tree,
    best_ppm,
    choose_answer,
    majority,
    majority_of_best,
    oracle,
    ppm_weighted,
    until_sure,
)
from rstar_async.search.tree import Candidate, NodeStatus, Selection, Tree
from rstar_async.text.steps import Step, StepKind


def answer(text: str, prior: float | None = None) -> Candidate:
    step = Step(StepKind.ANSWER)
    return Candidate(text, NodeStatus.ANSWER, step, prior=prior, value=prior, answer=text)


def tree_of(*answers: Candidate) -> Tree:
    tree = Tree(Selection())
    tree.expand(tree.root, answers)
    return tree


def proposals(*pairs: tuple[str, float | None]) -> list[Proposal]:
    return [Proposal(text, text == "right", score) for text, score in pairs]


def test_the_highest_ppm_value_wins():
    choice = choose_answer(tree_of(answer("1", 0.2), answer("2", 0.9), answer("1", 0.3)))
    assert (choice.answer, choice.found) == ("2", 3)


def test_without_a_ppm_the_majority_wins():
    assert choose_answer(tree_of(answer("1"), answer("2"), answer("2"))).answer == "2"


def test_the_earliest_answer_wins_a_tie():
    assert choose_answer(tree_of(answer("1"), answer("2"))).answer == "1"


def test_a_search_without_answers_chooses_nothing():
    assert choose_answer(tree_of()) is None


def test_the_rules_differ_where_they_should():
    found = proposals(("a", 0.9), ("b", 0.1), ("b", 0.0), ("b", -0.9), ("c", 0.8), ("c", 0.7))
    assert best_ppm(found).answer == "a"
    assert majority(found).answer == "b"
    assert ppm_weighted(found).answer == "c"
    # The four best are a, c, c, b.
    assert majority_of_best(found).answer == "c"


def test_a_tied_vote_goes_to_the_better_ppm_value():
    assert majority(proposals(("a", 0.1), ("b", 0.2))).answer == "b"


def test_answers_of_one_group_vote_together():
    found = [Proposal("1/2", True, 0.1, "1/2"), Proposal("3", False, 0.9, "3")]
    found.append(Proposal("0.5", True, 0.2, "1/2"))
    assert majority(found).answer == "0.5"


def test_only_the_oracle_looks_at_what_is_right():
    found = proposals(("wrong", 0.9), ("wrong", 0.8), ("right", -1.0))
    assert oracle(found).answer == "right"
    assert oracle(found[:2]) is None
    for rule in (best_ppm, majority, ppm_weighted, majority_of_best):
        assert rule(found).answer == "wrong"


@pytest.mark.parametrize("rule", [best_ppm, majority, ppm_weighted, majority_of_best, oracle])
def test_nothing_is_chosen_from_nothing(rule):
    assert rule([]) is None


def test_a_tree_answers_by_the_rule_that_is_asked_for():
    found = proposals(("a", 0.9), ("b", 0.1), ("b", 0.2))
    assert answer_of_tree(found, "best_ppm").answer == "a"
    assert answer_of_tree(found, "majority").answer == "b"


def test_a_tree_whose_answers_have_no_value_gives_the_most_frequent():
    found = proposals(("a", None), ("b", None), ("b", None))
    assert all(answer_of_tree(found, rule).answer == "b" for rule in RULES)


def test_nothing_more_is_drawn_when_the_leader_is_sure_to_stay_ahead():
    def draw(answers: str) -> list[Proposal | None]:
        return [None if a == "-" else Proposal(a, True) for a in answers]

    assert len(until_sure(draw("77777777"))) == 4
    assert len(until_sure(draw("7-7-7-7-7"))) == 7
    assert len(until_sure(draw("78787878"))) == 8
    assert len(until_sure(draw("7877777777"))) == 6 + 1
    assert until_sure([]) == []
    assert len(until_sure(draw("----"))) == 4
