from typing import get_args

import pytest

from storage import queries
from storage.database import open_database
from storage.queries.dashboard import ProblemFilter, ProblemOrder
from storage.records import (
    Evaluation,
    EvaluationAnswer,
    Pair,
    Problem,
    Round,
    Search,
    SearchProgress,
)
from tests.storage.examples import BASICS, PROBLEM, node, tree


@pytest.fixture
def database(url):
    """p1 is solved in round 1; p2 fails in round 1 and is solved in round 2; p3 runs."""
    with open_database(url) as opened:
        opened.commit(
            *BASICS,
            Round("trial", 2, "searching", "policy-1"),
            Problem("p2", "trial", "What is 100% of 7?", "7", "shares", "hard"),
            Problem("p3", "trial", "What is 1 + 1?", "2", "shares", "easy"),
            Search("s2", "trial", 1, "p2", "train", 4, "policy-0"),
            Search("s3", "trial", 2, "p2", "train", 5, "policy-1"),
            Search("s4", "trial", 2, "p3", "train", 5, "policy-1"),
            Search("s5", "trial", 2, "p3", "evaluation", 5, "policy-1"),
            *tree(),
            *tree("s3"),
            SearchProgress("s1", "finished", 4, 2, "", True, "42", 1.0, 2.5, 1.5),
            SearchProgress("s2", "finished", 4, 9, "", False, "", 1.0, 2.5, 2.0),
            SearchProgress("s3", "finished", 4, 2, "", True, "7", 1.0, 2.5, 1.0),
            SearchProgress("s4", "running", 1, 1, "0.1", None, "", 1.0, None, 0.5),
            Pair("trial", 1, "s1", "0.1.1", "0.1.2", "step"),
            Pair("trial", 1, "s1", "0.1.1", "0.1.2", "trajectory", 0.5, "heldout"),
        )
        yield opened


def found(database, order="problem", offset=0, limit=50, direction=None, **wanted):
    total, page = database.read(
        queries.problem_page, "trial", ProblemFilter(**wanted), order, offset, limit, direction
    )
    assert total >= len(page)
    return [each.problem.id for each in page]


def test_searches_are_summed_by_round_and_purpose(database):
    first, evaluation, second = database.read(queries.search_totals, "trial")
    assert (first.round, first.purpose, first.searches, first.finished) == (1, "train", 2, 2)
    assert (first.solved, first.expansions, first.seconds) == (1, 11, 3.5)
    assert (second.running, second.solved, second.waiting) == (1, 1, 0)
    assert (evaluation.purpose, evaluation.waiting) == ("evaluation", 1)
    assert all(type(value) is int for value in (first.solved, first.expansions, second.running))
    assert database.read(queries.search_totals, "nobody") == []


def test_tokens_are_summed_by_purpose(database):
    (totals,) = database.read(queries.token_totals, "trial", 1)
    assert (totals.nodes, totals.new_tokens) == (5, 70)
    assert type(totals.new_tokens) is int
    assert database.read(queries.token_totals, "trial", 9) == []


def test_problems_are_filtered(database):
    assert found(database) == ["p1", "p2", "p3"]
    assert found(database, state="solved") == ["p1", "p2"]
    assert found(database, state="unsolved") == []
    assert found(database, state="unsolved", round=1) == ["p2"]
    assert found(database, state="running") == ["p3"]
    assert found(database, kind="shares", level="hard") == ["p2"]
    assert found(database, purpose="evaluation") == ["p3"]
    assert found(database, text="WHAT IS 6") == ["p1"]
    assert found(database, text="100%") == ["p2"]
    assert found(database, text="' OR 1=1") == []


def test_problems_are_sorted_and_paged(database):
    assert found(database, "late") == ["p2", "p1", "p3"]
    assert found(database, "tokens") == ["p1", "p2", "p3"]
    assert found(database, "seconds") == ["p2", "p1", "p3"]
    assert found(database, "kind") == ["p1", "p2", "p3"]
    assert found(database, "level") == ["p2", "p1", "p3"]
    assert found(database, offset=1, limit=1) == ["p2"]


def test_a_problem_comes_with_its_searches(database):
    first, second = database.read(queries.searches_of_problem, "p2", "train")
    assert (first.search.id, first.nodes, first.new_tokens, first.first_right) == ("s2", 0, 0, None)
    assert (second.search.id, second.nodes, second.new_tokens) == ("s3", 5, 70)
    assert second.first_right == 2
    assert database.read(queries.searches_of_problem, "nobody", "train") == []


def test_facets_count_problems(database):
    counted = [(f.kind, f.level, f.problems) for f in database.read(queries.facets, "trial")]
    assert counted == [
        (PROBLEM.kind, PROBLEM.level, 1),
        ("shares", "easy", 1),
        ("shares", "hard", 1),
    ]


def test_a_tree_is_read_page_by_page_and_from_an_expansion_on(database):
    database.commit(*(node(f"0.2.{i}", expansion=3) for i in range(1, 13)))
    seen, after = [], ""
    while page := database.read(queries.tree_page, "s1", -1, after, 4):
        seen += [each.path for each in page]
        after = page[-1].path
    assert len(seen) == len(set(seen)) == 18
    assert all(seen.index(path.rpartition(".")[0]) < seen.index(path) for path in seen[1:])
    new = database.read(queries.tree_page, "s1", 2)
    assert {each.expansion for each in new} == {3}
    assert len(new) == 12
    answer = next(n for n in database.read(queries.tree_page, "s1") if n.path == "0.1.1")
    assert (answer.status, answer.correct, answer.answer) == ("answer", True, "42")
    assert (answer.visits, answer.value_sum, answer.snippet) == (1, 1.0, "<0.1.1>")


def test_statistics_are_those_of_visited_nodes(database):
    page = database.read(queries.statistics_page, "s1")
    assert page == [("0.1", 2, 1.0), ("0.1.1", 1, 1.0), ("0.1.2", 1, -1.0)]
    assert database.read(queries.statistics_page, "s1", "0.1.1", 1) == [("0.1.2", 1, -1.0)]


def test_steps_are_found_by_their_words(database):
    database.commit(node("0.9", text="100% of IT"), node("0.8", text="1000 of it"))
    assert database.read(queries.matching_paths, "s1", "0% of it") == ["0.9"]
    assert database.read(queries.matching_paths, "s1", "of it", 1) == ["0.8"]


def test_pairs_come_with_their_steps(database):
    step, whole = database.read(queries.pair_page, "trial", 1)
    assert (step.pair.kind, whole.pair.kind) == ("step", "trajectory")
    assert (step.chosen.path, step.rejected.path) == ("0.1.1", "0.1.2")
    assert step.chosen.tokens == (1, 2, 3)
    assert database.read(queries.pair_page, "trial", 1, kind="trajectory") == [whole]
    assert database.read(queries.pair_page, "trial", 1, split="train") == [step]
    assert database.read(queries.pair_page, "trial", 1, search_id="s2") == []
    assert database.read(queries.pair_page, "trial", 1, offset=1, limit=1) == [whole]


def test_answers_are_ranked_one_a_problem(database):
    (best,) = database.read(queries.ranked_answers, "trial", 1, correct=True, worst=False)
    assert (best.path, best.mean_q, best.min_q, best.depth) == ("0.1.1", 0.75, 0.5, 2)
    (worst,) = database.read(queries.ranked_answers, "trial", 1, correct=False, worst=True)
    assert (worst.path, worst.mean_q) == ("0.1.2", -0.25)
    assert database.read(queries.ranked_answers, "trial", 9, correct=True, worst=False) == []


@pytest.mark.parametrize("order", get_args(ProblemOrder))
def test_every_order_goes_both_ways_over_all_problems(database, order):
    up, down = (found(database, order, direction=way) for way in ("up", "down"))
    assert sorted(up) == sorted(down) == sorted(found(database))


def test_words_go_up_and_figures_down_unless_told_otherwise(database):
    assert found(database, "question") == found(database, "question", direction="up")
    assert found(database, "seconds") == found(database, "seconds", direction="down")
    assert found(database, "seconds", direction="up")[0] == "p3"


def test_answers_of_an_evaluation_come_with_their_problems_by_outcome(database):
    answers = [("42", True), ("41", False), ("", False), ("x", None), ("", None)]
    database.commit(
        Evaluation("e", "trial", 1, "policy", "heldout", "m", None, 1, 5, 1, 0.2, 0.0, 0.6),
        *(EvaluationAnswer("e", "p2", n, *answer) for n, answer in enumerate(answers)),
    )

    def samples(outcome, **page):
        total, rows = database.read(queries.answer_page, "e", outcome, **page)
        assert all((each.question, each.known) == ("What is 100% of 7?", "7") for each in rows)
        return total, [each.answer.sample for each in rows]

    assert samples(None) == (5, [0, 1, 2, 3, 4])
    assert samples(None, offset=3, limit=1) == (5, [3])
    assert samples("right") == (1, [0])
    assert samples("wrong") == (1, [1])
    assert samples("unanswered") == (2, [2, 4])
    assert samples("undecided") == (1, [3])
