"""Hand-made trees: a path and its Q for every node, answers marked right or wrong."""

from collections.abc import Mapping

from rstar_async.search.tree import Candidate, NodeStatus, Selection, Tree
from rstar_async.text.steps import Step, StepKind


def tree_of(
    nodes: Mapping[str, tuple[float, str]],
    texts: Mapping[str, str] | None = None,
    answers: Mapping[str, str] | None = None,
) -> Tree:
    """`nodes`: path -> (Q, "live" | "right" | "wrong" | "undecided" | "error"), parents first."""
    tree = Tree(Selection())
    for path, (q, kind) in nodes.items():
        text = (texts or {}).get(path, f"step {path}")
        tree.restore(path, _candidate(text, kind, (answers or {}).get(path, "")), 1, q)
    return tree


def _candidate(text: str, kind: str, answer: str = "") -> Candidate:
    if kind in ("right", "wrong", "undecided"):
        correct = {"right": True, "wrong": False, "undecided": None}[kind]
        step = Step(StepKind.ANSWER)
        return Candidate(text, NodeStatus.ANSWER, step, answer=answer, is_correct=correct)
    status = NodeStatus.LIVE if kind == "live" else NodeStatus.CODE_ERROR
    return Candidate(text, status, Step(StepKind.STEP, code=text))
