import pytest
import sqlalchemy as sa

from storage import queries
from storage.database import open_database
from storage.records import (
    Evaluation,
    EvaluationAnswer,
    ModelVersion,
    NodeStatistics,
    Pair,
    Problem,
    Round,
    RoundProgress,
    Search,
    SearchProgress,
)
from tests.storage.examples import BASICS, PROBLEM, SEARCH, node, tree


@pytest.fixture
def database(url):
    with open_database(url) as opened:
        opened.commit(*BASICS)
        yield opened


def paths(nodes):
    return [each.path for each in nodes]


def test_a_tree_comes_in_the_order_it_grew(database):
    nodes = [node("0", "root", expansion=0), node("0.2.1", expansion=2)]
    nodes += [node(f"0.{i}") for i in range(1, 13)]
    database.commit(*reversed(nodes))
    siblings = [f"0.{i}" for i in range(1, 13)]
    assert paths(database.read(queries.nodes_of, "s1")) == ["0", *siblings, "0.2.1"]
    assert paths(database.read(queries.children_of, "s1", "0")) == siblings
    assert paths(database.read(queries.children_of, "s1", "0", 8, 3)) == siblings[8:11]
    assert paths(database.read(queries.children_of, "s1", "0.2")) == ["0.2.1"]
    assert paths(database.read(queries.steps_to, "s1", "0.2.1")) == ["0", "0.2", "0.2.1"]
    assert database.read(queries.node_by_path, "s1", "0.9") == node("0.9")
    assert database.read(queries.node_by_path, "s1", "0.99") is None


def test_trajectories_follow_the_answers_to_the_root(database):
    database.commit(*tree())
    right, wrong = database.read(queries.trajectories_of, "trial", 1, None)
    assert (right.path, right.correct, right.answer, right.depth) == ("0.1.1", True, "42", 2)
    assert (right.mean_q, right.min_q) == (0.75, 0.5)
    assert (wrong.mean_q, wrong.min_q) == (-0.25, -1.0)
    assert right.question == PROBLEM.question
    assert database.read(queries.trajectories_of, "trial", 1) == [right]
    assert database.read(queries.trajectories_of, "trial", 1, False) == [wrong]
    assert database.read(queries.trajectories_of, "trial", 1, None, "evaluation") == []


def test_the_trajectories_view_holds_whole_solutions(database):
    database.commit(*tree(), NodeStatistics("s1", "0.1.1", 0, 0.0))
    query = "SELECT path, text, min_q FROM trajectories WHERE search_id = 's1' ORDER BY path"
    rows = database.read(lambda connection: connection.execute(sa.text(query)).all())
    assert [tuple(row) for row in rows] == [
        ("0.1.1", "<0.1><0.1.1>!", 0.0),
        ("0.1.2", "<0.1><0.1.2>", -1.0),
    ]


@pytest.fixture
def round_of_three(database):
    """s1 solved, s2 failed on the same problem, s3 waits; s4 is an evaluation's."""
    database.commit(
        Problem("p2", "trial", "What is 1 + 1?", "2"),
        Search("s2", "trial", 1, "p1", "train", 4, "policy-0", None, "failed", seconds=2.0),
        Search("s3", "trial", 1, "p2", "train", 5, "policy-0"),
        Search("s4", "trial", 1, "p2", "evaluation", 5, "policy-0"),
        *tree(),
        *tree("s2"),
        *tree("s4"),
        SearchProgress("s1", "finished", 4, 2, "", True, "42", 1.0, 2.5, 1.5),
        Pair("trial", 1, "s1", "0.1.1", "0.1.2", "step"),
        Pair("trial", 1, "s1", "0.1.1", "0.1.2", "trajectory"),
        Pair("trial", 1, "s2", "0.1.1", "0.1.2", "step", 0.5, "heldout"),
    )
    return database


def test_the_report_of_a_round_adds_up(round_of_three):
    report = round_of_three.read(queries.round_report, "trial", 1)
    assert report == queries.RoundReport(
        problems=2,
        solved=1,
        searches=3,
        nodes=10,
        new_tokens=140,
        prompt_tokens=460,
        cached_tokens=200,
        reachable_tokens=240,
        cached_share=200 / 240,
        code_runs=8,
        outcomes={"exception": 2, "ok": 6},
        shared_runs=2,
        pairs={"heldout": 1, "train": 2},
        search_seconds=3.5,
    )
    assert all(type(value) is int for value in report.outcomes.values())
    assert round_of_three.read(queries.round_report, "trial", 1, "evaluation").searches == 1


def test_a_problem_whose_searches_all_failed_is_neither_solved_nor_unsolved(round_of_three):
    def counts():
        return (
            round_of_three.read(queries.round_report, "trial", 1).problems,
            len(round_of_three.read(queries.problem_outcomes, "trial", 1)),
            len(round_of_three.read(queries.answer_counts, "trial", 1)),
        )

    assert counts() == (2, 2, 2)
    round_of_three.commit(SearchProgress("s3", "failed", 0, 0))
    assert counts() == (1, 1, 1)


def test_the_report_of_nothing_is_zero(database):
    report = database.read(queries.round_report, "trial", 9)
    assert (report.problems, report.nodes, report.new_tokens, report.cached_share) == (
        0,
        0,
        0,
        None,
    )
    assert (report.outcomes, report.pairs, report.search_seconds) == ({}, {}, 0.0)


def test_progress_counts_what_is_stored(round_of_three):
    assert round_of_three.read(queries.progress, "trial", 1) == queries.Progress(
        searches=3,
        waiting=1,
        running=0,
        finished=1,
        failed=1,
        solved=1,
        expansions=2,
        nodes=10,
        new_tokens=140,
    )
    assert round_of_three.read(queries.progress, "trial", 2).searches == 0


def test_searches_are_found_by_purpose_and_status(round_of_three):
    def found(*conditions):
        return [s.id for s in round_of_three.read(queries.searches_of, "trial", 1, *conditions)]

    assert found() == ["s1", "s2", "s3", "s4"]
    assert found("train") == ["s1", "s2", "s3"]
    assert found("train", "waiting") == ["s3"]
    assert found(None, "failed") == ["s2"]
    assert round_of_three.read(queries.search_by_id, "nobody") is None
    assert round_of_three.read(queries.search_by_id, "s1").solved is True
    assert SEARCH.solved is None


def test_rounds_are_found_by_where_they_stand(database):
    database.commit(Round("trial", 0, "closed", "base"), Round("trial", 2, "searching", "policy-1"))
    assert database.read(queries.open_round, "trial").number == 1
    assert database.read(queries.round_awaiting_training, "trial") is None
    database.commit(RoundProgress("trial", 1, "searched", searched_at=9.0))
    assert database.read(queries.round_awaiting_training, "trial").searched_at == 9.0
    database.commit(RoundProgress("trial", 1, "closed"))
    assert database.read(queries.open_round, "trial").number == 2
    assert database.read(queries.open_round, "nobody") is None
    assert [each.number for each in database.read(queries.rounds_of, "trial")] == [0, 1, 2]


def test_problems_are_found_by_split_and_source(database):
    held = Problem("p2", "trial", "q", "a", source="gsm8k", split="heldout")
    database.commit(held)
    assert database.read(queries.problems_of, "trial", "heldout") == [held]
    assert database.read(queries.problems_of, "trial", "train") == [PROBLEM]
    assert database.read(queries.problems_of, "trial", None, ["gsm8k"]) == [held]
    assert database.read(queries.problems_of, "trial") == [PROBLEM, held]
    assert database.read(queries.problem_by_id, "p2") == held


def version(name, number, parent, status="published", kind="policy"):
    return ModelVersion(
        name, "trial", kind, number, parent, f"models/{name}", status, created_at=1.0
    )


def test_models_are_found_by_age_and_by_descent(database):
    database.commit(Round("trial", 0, "closed", "base"), Round("trial", 2, "searching", "policy-1"))
    first, second = version("m0", 0, "base"), version("m1", 1, "m0")
    refused, scorer = version("m2", 2, "m1", "refused"), version("r1", 1, "m1", kind="ppm")
    database.commit(refused, scorer, second, first)
    latest = queries.latest_published
    assert database.read(latest, "trial", "policy") == second
    assert database.read(latest, "trial", "policy", 0) == first
    assert database.read(latest, "trial", "ppm", 0) is None
    assert database.read(queries.lineage, "r1") == [scorer, second, first]
    assert database.read(queries.model_versions_of, "trial") == [first, second, scorer, refused]
    assert database.read(queries.model_version, "m2") == refused


def test_pairs_and_evaluations_are_listed(round_of_three):
    evaluation = Evaluation("e", "trial", 1, "greedy", "hand", "m", None, 2, 1, 1, 0.5, 0.1, 0.9)
    answers = [EvaluationAnswer("e", f"p{i}", 0, "42", i == 1) for i in (1, 2)]
    round_of_three.commit(*reversed(answers), evaluation)
    assert round_of_three.read(queries.evaluations_of, "trial") == [evaluation]
    assert round_of_three.read(queries.answers_of, "e") == answers
    assert len(round_of_three.read(queries.pairs_of, "trial", 1)) == 3
    (held,) = round_of_three.read(queries.pairs_of, "trial", 1, "heldout")
    assert (held.search_id, held.weight) == ("s2", 0.5)
