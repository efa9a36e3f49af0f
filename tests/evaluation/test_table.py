import pytest

from rstar_async.evaluation.aggregation import Trajectories, trajectories_of
from rstar_async.evaluation.baselines import still_missing
from rstar_async.evaluation.selection import Proposal
from rstar_async.evaluation.table import UNTIL_SURE, equal_tokens, rows, token_savings
from storage.queries import Attempt, FoundAnswer
from storage.records import Search


def attempt(number: int, *answers: FoundAnswer, width: int = 4, tokens: int = 100) -> Attempt:
    search = Search(f"s{number}", "run", 1, "p", "evaluation", 1, "policy", status="finished")
    return Attempt(search, list(answers), width, tokens, 1)


def found(answer: str, *, correct: bool, prior: float | None, samples: int = 1) -> FoundAnswer:
    return FoundAnswer("0.1", answer, correct, prior, samples)


def trajectory(text: str, score: float = 0.0) -> Proposal:
    return Proposal(text, text == "right", score, text)


def test_a_tree_is_one_trajectory_its_best_answer():
    one = attempt(
        1, found("3", correct=True, prior=0.2), found("4", correct=False, prior=0.8), tokens=50
    )
    pool = trajectories_of("tree", [one, attempt(2, tokens=150)], {}, "best_ppm")
    assert [p and p.answer for p in pool.proposals] == ["4", None]
    assert pool.tokens_each == 100


def test_a_batch_is_as_many_trajectories_as_samples_dead_ends_included():
    batch = attempt(1, found("3", correct=True, prior=None, samples=3), width=8, tokens=80)
    pool = trajectories_of("sample", [batch], {}, "best_ppm")
    assert sorted(p is None for p in pool.proposals) == [False] * 3 + [True] * 5
    assert pool.tokens_each == 10


def test_all_answers_of_all_trees_may_vote():
    one = attempt(1, found("4", correct=False, prior=0.8), found("3", correct=True, prior=0.2))
    two = attempt(2, found("5", correct=False, prior=0.9), found("3", correct=True, prior=0.1))
    trees = trajectories_of("tree", [one, two, attempt(3)], {}, "best_ppm")
    table = list(rows({"p": {"tree": trees}}, [1, 2], has_ppm=True))
    assert cell(table, "majority", 2).correct == 0
    assert cell(table, "majority of all answers", 2).correct == 1
    assert cell(table, "majority of all answers", 2).tokens == 200
    assert cell(table, "majority of all answers", 1).share.mean == 0
    assert Trajectories([], 0.0, 0.0).pooled(4) == [[]]


def test_blocks_are_disjoint_and_whole():
    pool = Trajectories([trajectory(str(n)) for n in range(7)], 1.0, 1.0)
    blocks = pool.blocks(3)
    assert [[p.answer for p in block] for block in blocks] == [["0", "1", "2"], ["3", "4", "5"]]
    assert len(pool.blocks(99)) == 1
    assert Trajectories([], 0.0, 0.0).blocks(4) == [[]]


def test_rivals_never_get_fewer_tokens_than_the_trees():
    of_problem = {
        "tree": Trajectories([None] * 4, 100.0, 1.0),
        "sample": Trajectories([None] * 64, 30.0, 1.0),
    }
    assert equal_tokens("sample", 1)(of_problem) == 4
    assert equal_tokens("sample", 3)(of_problem) == 10


def test_the_number_of_attempts_still_missing_fits_the_budget():
    assert still_missing([attempt(1, tokens=100)], 450) == 4
    assert still_missing([attempt(1, tokens=100), attempt(2, tokens=400)], 450) == 0
    assert still_missing([attempt(1, tokens=0)], 450) == 0


def results(*problems: list[str]) -> dict:
    return {
        f"p{i}": {"tree": Trajectories([trajectory(t) if t else None for t in texts], 10.0, 2.0)}
        for i, texts in enumerate(problems)
    }


def cell(table, rule: str, trajectories: int):
    return next(r for r in table if (r.rule, r.trajectories) == (rule, trajectories))


def test_one_trajectory_is_measured_by_all_of_them():
    table = list(rows(results(["right", "wrong", "wrong", ""]), [1, 4], has_ppm=True))
    one = cell(table, "majority", 1)
    assert one.share.mean == pytest.approx(0.25)
    assert (one.tokens, one.seconds) == (10.0, 2.0)
    assert cell(table, "majority", 4).share.mean == 0.0
    assert cell(table, "pass@n", 4).share.mean == 1.0
    assert cell(table, "pass@n", 4).tokens == 40.0


def test_the_mean_is_over_problems_and_lies_in_its_interval():
    texts = ["right"] * 4, ["wrong"] * 4, ["right", "right", "wrong", "wrong"]
    one = cell(list(rows(results(*texts), [1, 4], has_ppm=True)), "majority", 1)
    assert one.share.mean == pytest.approx(0.5)
    assert one.share.low <= 0.5 <= one.share.high
    assert one.correct == 2


def test_without_a_ppm_no_rule_that_needs_one_is_shown():
    shown = {row.rule for row in rows(results(["right"]), [1], has_ppm=False)}
    assert shown == {"majority", "majority of all answers", "pass@n", UNTIL_SURE}


def test_easy_problems_take_few_trees_and_hard_ones_all():
    easy, hard = ["right"] * 16, ["right", "wrong"] * 8
    one = cell(list(rows(results(easy, hard), [16], has_ppm=True)), UNTIL_SURE, 16)
    assert one.drawn == (4 + 16) / 2
    assert one.tokens == pytest.approx(10.0 * one.drawn)
    assert [choice.answer for choice in one.chosen["p0"]] == ["right"]
    tokens, difference = token_savings(results(easy, hard), 16)
    assert tokens.mean == pytest.approx(one.drawn / 16)
    assert (difference.mean, difference.low, difference.high) == (0.0, 0.0, 0.0)
