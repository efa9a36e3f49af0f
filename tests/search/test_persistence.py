from dataclasses import replace

from rstar_async.search.persistence import tree_from_nodes
from rstar_async.search.tree import Candidate, NodeStatus, Selection, Tree
from rstar_async.text.steps import parse_step
from storage.records import Node

LIVE = "# a\nx = 1\n<end_of_step>"


def candidate(text: str, status: NodeStatus, prior: float | None = None) -> Candidate:
    step = parse_step(text, after_output="answer" in text)
    return Candidate(text, status, step, tokens=(1, 2), prior=prior)


def rows_of(tree: Tree) -> list[Node]:
    """The rows a searcher would have stored, expansion by expansion."""
    order = {"0": 0}
    for node in tree.nodes.values():
        for child in node.children:
            order[child.path] = list(tree.nodes).index(node.path) + 1
    return [
        Node(
            search_id="s",
            path=node.path,
            expansion=order[node.path],
            depth=node.depth,
            text=node.candidate.text,
            observation="",
            tokens=node.candidate.tokens,
            observation_tokens=(),
            status=node.status.value,
            prior=node.candidate.prior,
            visits=node.visits,
            value_sum=node.value_sum,
            correct=node.candidate.is_correct,
        )
        for node in tree.nodes.values()
    ]


def grown_tree() -> Tree:
    tree = Tree(Selection())
    children = tree.expand(
        tree.root, [candidate(LIVE, NodeStatus.LIVE, prior=i / 20) for i in range(12)]
    )
    right = replace(
        candidate("<answer>\\boxed{1}<end_of_answer>", NodeStatus.ANSWER),
        value=1.0,
        is_correct=True,
    )
    tree.expand(children[10], [candidate(LIVE, NodeStatus.LIVE), right])
    tree.expand(children[0], [candidate("no end", NodeStatus.UNFINISHED)])
    return tree


def test_a_restored_tree_selects_as_the_original_would():
    tree = grown_tree()
    restored = tree_from_nodes(reversed(rows_of(tree)), Selection())
    assert restored.select().path == tree.select().path
    assert restored.nodes.keys() == tree.nodes.keys()
    for path, node in tree.nodes.items():
        twin = restored.nodes[path]
        assert (twin.visits, twin.value_sum) == (node.visits, node.value_sum)
        assert twin.is_exhausted == node.is_exhausted
        assert [c.path for c in twin.children] == [c.path for c in node.children]


def test_a_search_that_never_began_restores_to_a_root():
    assert tree_from_nodes([], Selection()).select().path == "0"
