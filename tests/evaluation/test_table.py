import pytest

from rstar_async.evaluation.aggregation import Trajectories
from rstar_async.evaluation.beam import BeamSearch
from rstar_async.evaluation.sampling import Greedy, Sampling
from rstar_async.evaluation.selection import ADAPTIVE_MAJORITY, MAJORITY
from rstar_async.evaluation.strategies import TREE
from rstar_async.evaluation.table import equal_tokens, lead, rows, token_savings
from tests.evaluation.attempts import attempt, found, trajectories

ADAPTIVE = ADAPTIVE_MAJORITY.name


def table_of(*problems: list[str], counts=(1, 4), has_ppm: bool = True) -> list:
    """Of trees alone, whose answers are given by problem."""
    results = {f"p{i}": {"tree": trajectories(*texts)} for i, texts in enumerate(problems)}
    return list(rows(results, [TREE], counts, has_ppm=has_ppm))


def row(table, rule: str, trajectories: int):
    return next(r for r in table if (r.rule, r.trajectories) == (rule, trajectories))


def test_one_trajectory_is_measured_by_all_of_them():
    table = table_of(["right", "wrong", "wrong", ""])
    one = row(table, "majority", 1)
    assert one.share.mean == pytest.approx(0.25)
    assert (one.tokens, one.seconds) == (10.0, 2.0)
    assert row(table, "majority", 4).share.mean == 0.0
    assert row(table, "pass@n", 4).share.mean == 1.0
    assert row(table, "pass@n", 4).tokens == 40.0


def test_the_mean_is_over_problems_and_lies_in_its_interval():
    table = table_of(["right"] * 4, ["wrong"] * 4, ["right", "right", "wrong", "wrong"])
    one = row(table, "majority", 1)
    assert one.share.mean == pytest.approx(0.5)
    assert one.share.low <= 0.5 <= one.share.high
    assert one.correct == 2


def test_without_a_ppm_no_rule_that_needs_one_is_shown():
    shown = {row.rule for row in table_of(["right"], counts=[1], has_ppm=False)}
    assert shown == {"majority", "majority of all answers", "pass@n", ADAPTIVE}


def test_all_answers_of_all_trees_may_vote():
    one = attempt(1, found("4", correct=False, prior=0.8), found("3", correct=True, prior=0.2))
    two = attempt(2, found("5", correct=False, prior=0.9), found("3", correct=True, prior=0.1))
    made = [one, two, attempt(3)]
    trees = Trajectories.of(TREE.trajectories(made, {}, "best_ppm"), made)
    table = list(rows({"p": {"tree": trees}}, [TREE], [1, 2], has_ppm=True))
    assert row(table, "majority", 2).correct == 0
    assert row(table, "majority of all answers", 2).correct == 1
    assert row(table, "majority of all answers", 2).tokens == 200
    assert row(table, "majority of all answers", 1).share.mean == 0


def test_baselines_never_get_fewer_tokens_than_the_trees():
    sampling = Sampling()
    of_problem = {
        "tree": trajectories(*[""] * 4, tokens=100.0),
        "sample": trajectories(*[""] * 64, tokens=30.0),
    }
    assert equal_tokens(sampling, 1)(of_problem) == 4
    assert equal_tokens(sampling, 3)(of_problem) == 10
    assert equal_tokens(TREE, 3)(of_problem) == 3


def test_every_strategy_has_its_rows():
    of_problem = {
        "tree": trajectories("right"),
        "beam": trajectories("wrong"),
        "greedy": trajectories("right"),
        "sample": trajectories("right", "wrong", tokens=5.0),
    }
    strategies = [TREE, Greedy(), Sampling(), BeamSearch()]
    table = list(rows({"p": of_problem}, strategies, [1], has_ppm=True))
    found = {(r.method, r.rule, r.trajectories): (r.share.mean, r.drawn) for r in table}
    assert found["greedy", "pass@1", 0] == (1.0, 1)
    assert found["sample", "pass@1", 0] == (0.5, 1)
    assert found["sample", "pass@n", 1] == (1.0, 2)
    assert found["beam", "best PPM", 1] == (0.0, 1)


def test_easy_problems_take_few_trees_and_hard_ones_all():
    table = table_of(["right"] * 16, ["right", "wrong"] * 8, counts=[4, 16])
    one = row(table, ADAPTIVE, 16)
    assert one.drawn == (4 + 16) / 2
    assert one.tokens == pytest.approx(10.0 * one.drawn)
    assert [choice.answer for choice in one.cells["p0"].chosen] == ["right"]
    tokens, difference = token_savings(table)
    assert tokens.mean == pytest.approx(one.drawn / 16)
    assert (difference.mean, difference.low, difference.high) == (0.0, 0.0, 0.0)


def test_a_lead_is_paired_by_problem_against_samples_with_as_many_tokens():
    results = {
        "easy": {
            "tree": trajectories("right", "right"),
            "sample": trajectories("right", "right", tokens=5.0),
        },
        "hard": {
            "tree": trajectories("right", "wrong"),
            "sample": trajectories("wrong", "wrong", tokens=5.0),
        },
    }
    table = list(rows(results, [TREE, Greedy(), Sampling()][::2], [1], has_ppm=False))
    ahead = lead(row(table, "majority", 1), table, MAJORITY)
    assert ahead is not None
    # By problem: 0 and 1/2.
    assert ahead.mean == pytest.approx(0.25)
    assert (ahead.low, ahead.high) == pytest.approx((-0.24, 0.74), abs=0.01)
    sampled = {one.rule: lead(one, table, MAJORITY) for one in table if one.method == "sample"}
    assert sampled["pass@1"] is None  # the policy alone
    assert sampled["majority"] is None  # nothing is ahead of itself
    assert sampled["pass@n"].mean == 0.0


def test_without_samples_there_is_no_lead():
    table = table_of(["right"], has_ppm=False)
    assert lead(row(table, "majority", 1), table, MAJORITY) is None
