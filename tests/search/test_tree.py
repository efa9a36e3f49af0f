import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rstar_async.search.tree import Candidate, NodeStatus, Selection, Tree, TreeNode
from rstar_async.text.steps import Step, StepKind

STEP = Step(StepKind.STEP, "x = 1")


def live(text: str = "step", prior: float | None = None) -> Candidate:
    return Candidate(text, NodeStatus.LIVE, STEP, prior=prior)


def answer(value: float | None) -> Candidate:
    return Candidate("answer", NodeStatus.ANSWER, Step(StepKind.ANSWER), value=value)


def error() -> Candidate:
    return Candidate("error", NodeStatus.CODE_ERROR, STEP)


def test_the_worked_example_of_the_paper():
    """Outcomes +1, +1, -1, +1 give q = 2, N = 4, Q = 0.5; with N_parent = 10, UCT = 2.017."""
    tree = Tree(Selection(exploration=2.0))
    (node,) = tree.expand(tree.root, [live()])
    tree.expand(node, [answer(1.0), answer(1.0), answer(-1.0), answer(1.0), live()])
    assert (node.visits, node.value_sum, node.q) == (4, 2.0, 0.5)
    tree.root.visits = 10
    assert tree.uct(node) == pytest.approx(2.017, abs=5e-4)


def test_a_ppm_prior_counts_as_one_visit_of_the_node_alone():
    tree = Tree(Selection())
    (node,) = tree.expand(tree.root, [live(prior=0.4)])
    assert (node.visits, node.q) == (1, 0.4)
    assert tree.root.visits == 0
    tree.expand(node, [answer(1.0)])
    assert node.q == pytest.approx((0.4 + 1.0) / 2)


def test_a_failed_step_is_not_backed_up():
    tree = Tree(Selection())
    (parent,) = tree.expand(tree.root, [live()])
    (failed, _) = tree.expand(parent, [error(), live()])
    assert failed.q == -1.0
    assert parent.visits == tree.root.visits == 0


def test_an_undecided_answer_is_not_backed_up():
    tree = Tree(Selection())
    tree.expand(tree.root, [answer(None), live()])
    assert tree.root.visits == 0


def test_unvisited_children_come_first_in_uct_and_not_in_the_reference_mode():
    for unvisited, expected in (("infinity", "0.2"), ("zero", "0.1")):
        tree = Tree(Selection(unvisited=unvisited))
        first, _ = tree.expand(tree.root, [live(), live()])
        tree.expand(first, [answer(1.0), live()])
        assert tree.best_child(tree.root).path == expected


def test_reference_mode_prefers_the_unvisited_to_a_negative_score_and_the_first_on_ties():
    tree = Tree(Selection(exploration=0.0, unvisited="zero"))
    first, _, _ = tree.expand(tree.root, [live(), live(), live()])
    assert tree.best_child(tree.root) is first
    tree.expand(first, [answer(-1.0), live()])
    assert tree.best_child(tree.root).path == "0.2"


def test_select_descends_to_a_node_without_children():
    tree = Tree(Selection())
    assert tree.select() is tree.root
    (node,) = tree.expand(tree.root, [live()])
    assert tree.select() is node


def test_a_tree_without_open_nodes_is_exhausted():
    tree = Tree(Selection())
    (node,) = tree.expand(tree.root, [live()])
    tree.expand(node, [error(), answer(-1.0)])
    assert tree.is_exhausted
    assert tree.select() is None


def test_selection_leaves_an_exhausted_branch():
    tree = Tree(Selection())
    first, second = tree.expand(tree.root, [live(), live()])
    tree.expand(first, [error()])
    assert tree.select() is second


def test_every_child_is_tried_in_uct_mode():
    tree = Tree(Selection())
    tree.expand(tree.root, [live() for _ in range(8)])
    for _ in range(8):
        tree.expand(tree.select(), [answer(-1.0), live()])
    assert all(child.visits for child in tree.root.children)


@st.composite
def grown_trees(draw: st.DrawFn) -> Tree:
    tree = Tree(Selection())
    kinds = st.sampled_from([live(), live(prior=0.3), live(prior=-1.0), error(), answer(1.0)])
    for _ in range(draw(st.integers(1, 12))):
        node = tree.select()
        if node is None:
            break
        tree.expand(node, draw(st.lists(st.one_of(kinds, st.just(answer(-1.0))), max_size=4)))
    return tree


@given(grown_trees())
def test_visits_and_values_add_up(tree: Tree):
    for node in tree.nodes.values():
        below = [a for a in answers_below(node) if a.candidate.value is not None]
        own = 1 if node.candidate.prior is not None or node.status is NodeStatus.CODE_ERROR else 0
        assert node.visits == own + len(below)
        assert math.isclose(
            node.value_sum,
            _initial_value(node) + sum(a.candidate.value for a in below),
            abs_tol=1e-9,
        )
        assert abs(node.q) <= 1.0 + 1e-9


def answers_below(node: TreeNode) -> list[TreeNode]:
    mine = [node] if node.status is NodeStatus.ANSWER else []
    return mine + [a for child in node.children for a in answers_below(child)]


def _initial_value(node: TreeNode) -> float:
    if node.status is NodeStatus.CODE_ERROR:
        return -1.0
    return node.candidate.prior or 0.0


@given(st.lists(st.sampled_from([1.0, -1.0, 0.25]), min_size=1, max_size=6), st.randoms())
def test_the_order_of_back_ups_does_not_matter(values, dice):
    """The same answers below the same steps, found in two orders, leave the same statistics."""

    def grown(order: list[int]) -> list[tuple[str, int, float]]:
        tree = Tree(Selection())
        steps = tree.expand(tree.root, [live(prior=0.5) for _ in values])
        for i in order:
            tree.expand(steps[i], [answer(values[i]), answer(-values[i]), live()])
        return sorted((n.path, n.visits, n.value_sum) for n in tree.nodes.values())

    order = list(range(len(values)))
    shuffled = order[:]
    dice.shuffle(shuffled)
    assert grown(shuffled) == grown(order)


@given(st.integers(2, 12), st.integers(0, 11))
def test_every_child_is_reached_in_paper_mode(children, good):
    """Whichever child is the only good one, it is reached after as many tries as there are."""
    good %= children
    tree = Tree(Selection())
    steps = tree.expand(tree.root, [live() for _ in range(children)])
    for _ in range(children):
        node = tree.select()
        tree.expand(node, [answer(1.0 if node is steps[good] else -1.0), live()])
    assert all(step.visits == 1 for step in steps)
    assert tree.best_child(tree.root) is steps[good]


def test_the_reference_mode_never_tries_more_than_the_first_good_child():
    tree = Tree(Selection(unvisited="zero"))
    steps = tree.expand(tree.root, [live() for _ in range(8)])
    for _ in range(8):
        node = tree.select()
        tree.expand(node, [answer(1.0), live()])
    assert [step.visits for step in steps[1:]] == [0] * 7


def test_a_reserved_node_is_not_selected_and_its_path_scores_less():
    tree = Tree(Selection())
    first, second = tree.expand(tree.root, [live(prior=0.5), live(prior=0.4)])
    tree.root.visits = 2
    before = tree.uct(first)
    tree.reserve(first)
    assert tree.uct(first) < before
    assert tree.select() is second
    tree.reserve(second)
    assert tree.select() is None
    assert not tree.is_exhausted
    tree.release(first)
    assert tree.select() is first


@given(grown_trees(), st.randoms())
def test_reserving_and_releasing_nodes_changes_nothing(tree: Tree, dice):
    def state() -> list[tuple[object, ...]]:
        return [
            (
                n.path,
                n.visits,
                n.value_sum,
                n.virtual_losses,
                n.is_busy,
                n.is_exhausted,
                tree.uct(n),
            )
            for n in tree.nodes.values()
        ]

    before = state()
    reserved = []
    while (node := tree.select()) is not None:
        tree.reserve(node)
        reserved.append(node)
    assert len(set(reserved)) == len(reserved)
    dice.shuffle(reserved)
    for node in reserved:
        tree.release(node)
    assert state() == before
