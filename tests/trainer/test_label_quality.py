"""Trees over a question of the demo whose right steps are known."""

import pytest

from rstar_async.data.preferences import Preference
from rstar_async.domains.math import MathDomain
from rstar_async.text.encoding import Encoder
from rstar_async.trainer.label_quality import (
    TreeJudge,
    count_labels,
    count_processes,
    label_metrics,
    process_metrics,
)
from rstar_async.trainer.loop import serve
from storage import queries
from tests.trainer.stored_trees import solved_trees, store_round, stored_tree


@pytest.fixture(scope="module")
def solved(encoder: Encoder):
    """Every gold step with a sibling that does the same but says something else; one problem."""
    return solved_trees(encoder, 1)[0]


@pytest.fixture
def stored(solved):
    return stored_tree(0, solved)


def pair(chosen: str, rejected: str) -> Preference:
    return Preference(chosen, rejected, "step", 1.0)


def replaced(stored, path: str, line: str):
    """The tree with another line of code in the step at `path`."""
    candidate = stored.tree.nodes[path].candidate
    code = candidate.step.code.rpartition("\n")[0] + f"\n{line}"
    object.__setattr__(candidate.step, "code", code)
    return stored


def test_siblings_that_do_the_same_are_both_right(stored):
    judge = TreeJudge(stored, MathDomain())
    assert count_labels(judge, [pair("0.1", "0.2")]) == {"both_right": 1}


def test_each_kind_of_label_is_told_apart(encoder):
    wrong = "wrong = 1"
    for broken, label in (
        (["0.2"], "right"),
        (["0.1"], "inverted"),
        (["0.1", "0.2"], "both_wrong"),
    ):
        tree = stored_tree(0, solved_trees(encoder, 1)[0])
        for path in broken:
            replaced(tree, path, wrong)
        assert count_labels(TreeJudge(tree, MathDomain()), [pair("0.1", "0.2")]) == {label: 1}


def test_a_solution_that_is_right_by_luck_has_a_wrong_process(encoder):
    tree = stored_tree(0, solved_trees(encoder, 1)[0])
    assert count_processes(TreeJudge(tree, MathDomain()), tree) == {"right": 1}
    replaced(tree, "0.1", "wrong = 1")
    assert count_processes(TreeJudge(tree, MathDomain()), tree) == {"wrong": 1}


def test_an_answer_is_a_right_step_if_it_is_what_was_printed(stored):
    judge = TreeJudge(stored, MathDomain())
    answers = {n.candidate.is_correct: n.path for n in stored.tree.answers()}
    assert judge.step(answers[True]) is True
    wrong = stored.tree.nodes[answers[True]].candidate
    object.__setattr__(wrong, "text", wrong.text.replace("boxed{", "boxed{9"))
    assert TreeJudge(stored, MathDomain()).step(answers[True]) is False


def test_where_the_truth_is_not_known_nothing_is_counted(stored):
    object.__setattr__(stored, "question", "How many are there?")
    judge = TreeJudge(stored, MathDomain())
    assert label_metrics(count_labels(judge, [pair("0.1", "0.2")])) == {}
    assert process_metrics(count_processes(judge, stored)) == {}


def test_a_round_s_models_carry_the_counts(context, encoder):
    serve(context, once=True)
    store_round(context.database, "run", 1, solved_trees(encoder, 12), context.base().id)
    serve(context, once=True)
    _, policy, ppm = context.versions()
    assert policy.metrics["solutions_judged"] == policy.metrics["solutions_right_process"] == 12
    judged = {name: value for name, value in ppm.metrics.items() if name.startswith("labels_")}
    assert judged["labels_judged"] == ppm.metrics["pairs"] > 0
    assert judged["labels_both_right"] > 0
    assert sum(judged.values()) == 2 * judged["labels_judged"]
    searches = {tree.search_id for tree in context.database.read(queries.pairs_of, "run", 1)}
    worst = ppm.manifest["worst_pairs"]
    assert "worst_pairs" not in ppm.metrics
    assert {each["search"] for each in worst} <= searches
