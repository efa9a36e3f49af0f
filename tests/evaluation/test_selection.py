import pytest

from rstar_async.evaluation.selection import (
    ADAPTIVE_MAJORITY,
    MAJORITY,
    POOLED_MAJORITY,
    PPM_WEIGHTED,
    RULES,
    Proposal,
    Trajectory,
    adaptive_consistency,
    answer_of_tree,
    best_ppm,
    majority,
    majority_of_best,
    oracle,
    ppm_weighted,
)


def proposals(*pairs: tuple[str, float | None]) -> list[Proposal]:
    return [Proposal(text, text == "right", score) for text, score in pairs]


def test_the_earliest_answer_wins_a_tie():
    assert majority(proposals(("1", None), ("2", None))).answer == "1"


def test_the_rules_differ_where_they_should():
    found = proposals(("a", 0.9), ("b", 0.1), ("b", 0.0), ("b", -0.9), ("c", 0.8), ("c", 0.7))
    assert best_ppm(found).answer == "a"
    assert majority(found).answer == "b"
    assert ppm_weighted(found).answer == "a"  # odds of 19 against 9 and 5.7
    # The four best are a, c, c, b.
    assert majority_of_best(found).answer == "c"


def test_a_weighted_vote_lies_between_a_majority_and_the_best():
    many = proposals(("a", 0.5), *[("b", 0.45)] * 2, *[("c", -0.9)] * 9)
    assert best_ppm(many).answer == "a"
    assert majority(many).answer == "c"
    assert ppm_weighted(many).answer == "b"


def test_a_value_of_one_does_not_break_a_weighted_vote():
    assert ppm_weighted(proposals(("a", 1.0), ("b", -1.0), ("b", 0.99))).answer == "a"


def test_a_weighted_vote_hears_all_answers_of_trees():
    tree = Trajectory(proposals(("a", 0.5))[0], proposals(("a", 0.5), ("b", 0.45), ("b", 0.46)))
    assert PPM_WEIGHTED.apply([tree])[0].answer == "b"
    sample = Trajectory(proposals(("a", 0.5))[0])
    assert PPM_WEIGHTED.apply([sample])[0].answer == "a"


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


def drawn(answers: str) -> list[Trajectory]:
    """One trajectory for each letter, "-" for one that came to nothing."""
    return [Trajectory(None if a == "-" else Proposal(a, True)) for a in answers]


def test_nothing_more_is_drawn_when_the_leader_is_sure_to_stay_ahead():
    assert len(adaptive_consistency(drawn("77777777"))) == 4
    assert len(adaptive_consistency(drawn("7-7-7-7-7"))) == 7
    assert len(adaptive_consistency(drawn("78787878"))) == 8
    assert len(adaptive_consistency(drawn("7877777777"))) == 6 + 1
    assert adaptive_consistency([]) == []
    assert len(adaptive_consistency(drawn("----"))) == 4


def test_an_adaptive_rule_says_how_many_trajectories_it_took():
    chosen, count = ADAPTIVE_MAJORITY.apply(drawn("77777777"))
    assert (chosen.answer, count) == ("7", 4)
    assert MAJORITY.apply(drawn("77777777"))[1] == 8


def test_a_pooled_rule_chooses_among_all_answers():
    trees = [
        Trajectory(one, [one, Proposal("3", True)]) for one in proposals(("4", 0.8), ("5", 0.9))
    ]
    assert MAJORITY.apply(trees)[0].answer == "5"
    assert POOLED_MAJORITY.apply(trees)[0].answer == "3"
