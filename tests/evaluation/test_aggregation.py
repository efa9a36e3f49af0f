from msgspec import structs

from rstar_async.evaluation.aggregation import (
    Trajectories,
    distinct_proposals,
    proposals_of,
)
from rstar_async.evaluation.sampling import Sampling
from rstar_async.evaluation.strategies import TREE
from storage.queries import FoundAnswer
from tests.evaluation.attempts import attempt, found, trajectories


def test_a_tree_is_one_trajectory_its_best_answer():
    three, four = found("3", correct=True, prior=0.2), found("4", correct=False, prior=0.8)
    made = [attempt(1, three, four, tokens=50), attempt(2, tokens=150)]
    trees = Trajectories.of(TREE.trajectories(made, {}, "best_ppm"), made)
    assert [one.proposal and one.proposal.answer for one in trees.each] == ["4", None]
    assert [proposal.answer for proposal in trees.each[0].answers] == ["3", "4"]
    assert trees.tokens_each == 100


def test_a_batch_is_as_many_trajectories_as_samples_dead_ends_included():
    batch = [attempt(1, found("3", correct=True, prior=None, samples=3), width=8, tokens=80)]
    samples = Trajectories.of(Sampling(8).trajectories(batch, {}, "best_ppm"), batch)
    assert sorted(one.proposal is None for one in samples.each) == [False] * 3 + [True] * 5
    assert samples.tokens_each == 10


def test_attempts_that_all_failed_are_one_trajectory_without_an_answer():
    failed = [attempt(1, width=0, tokens=0)]
    samples = Trajectories.of(Sampling(8).trajectories(failed, {}, "best_ppm"), failed)
    assert [one.proposal for one in samples.each] == [None]
    assert samples.tokens_each == 0


def test_blocks_are_disjoint_and_whole():
    seven = trajectories(*"0123456")
    answers = [[one.proposal.answer for one in block] for block in seven.blocks(3)]
    assert answers == [["0", "1", "2"], ["3", "4", "5"]]
    assert len(seven.blocks(99)) == 1


def test_an_answer_votes_as_often_as_it_was_sampled_and_with_its_equals():
    one = attempt(1, found("1/2", correct=True, prior=None, samples=2))
    groups = {"1/2": "0.5"}
    assert [(p.answer, p.vote) for p in proposals_of(one, groups)] == [("1/2", "0.5")] * 2


def test_distinct_answers_come_in_the_order_in_which_the_tree_found_them():
    places = (("0.1.2.1", 7), ("0.1.10", 3), ("0.1.9", 3), ("0.2", 5))
    nodes = [FoundAnswer(path, path, True, None, 4, number) for path, number in places]
    one = structs.replace(attempt(1), answers=nodes)
    assert [p.path for p in distinct_proposals(one)] == ["0.1.9", "0.1.10", "0.2", "0.1.2.1"]
