"""A stored tree made whole again: for resuming a search, and for picking training data from it."""

from collections.abc import Iterable

from rstar_async.search.tree import ROOT_PATH, Candidate, NodeStatus, Selection, Tree
from rstar_async.text.steps import ROOT_STEP, Step, StepKind, parse_step
from storage.records import Node


def tree_from_nodes(nodes: Iterable[Node], selection: Selection) -> Tree:
    """Rebuild the tree of one search from all its rows, in any order.

    Statistics are taken from the rows, nothing is backed up again.
    """
    tree = Tree(selection)
    expanded: set[str] = set()
    for node in sorted(nodes, key=_birth):
        if node.path == ROOT_PATH:
            tree.root.visits, tree.root.value_sum = node.visits, node.value_sum
            continue
        tree.restore(node.path, candidate_of(node, tree), node.visits, node.value_sum)
        expanded.add(node.path.rpartition(".")[0])
    tree.close_exhausted(sorted(expanded))
    return tree


def candidate_of(node: Node, tree: Tree) -> Candidate:
    """The candidate that a stored node was made from."""
    parent = tree.nodes[node.path.rpartition(".")[0]]
    return Candidate(
        text=node.text,
        status=NodeStatus(node.status),
        step=_step_of(node, parent.candidate.step),
        tokens=tuple(node.tokens),
        observation_tokens=tuple(node.observation_tokens),
        stdout=node.stdout,
        prior=node.prior,
        answer=node.answer,
        is_correct=node.correct,
    )


def _step_of(node: Node, parent: Step) -> Step:
    if node.path == ROOT_PATH:
        return ROOT_STEP
    return parse_step(node.text, after_output=parent.kind is StepKind.END_OF_CODE)


def _birth(node: Node) -> tuple[int, int]:
    """Parents before children, siblings by number ("0.10" comes after "0.2")."""
    return node.expansion, int(node.path.rpartition(".")[2])
