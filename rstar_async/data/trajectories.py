"""Picking the trajectories that the policy is trained on (paper section 3.4). Pure.

Per problem: the correct answers with the highest mean Q over their path; as a control, any correct
ones. Equal programs are one trajectory, so the second pick is another way to solve the problem.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Literal, TypeAlias

from rstar_async.search.tree import Tree, TreeNode
from rstar_async.seeding import seed_of
from rstar_async.text.steps import program_of

Pick: TypeAlias = Literal["best", "random"]


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A path from the root's child to an answer: `path` of the tree called `search_id`."""

    search_id: str
    path: str
    mean_q: float
    min_q: float


def best_trajectories(
    trees: Mapping[str, Tree],
    top: int,
    *,
    pick: Pick = "best",
    distinct: bool = True,
    drop_errors: bool = False,
) -> list[Trajectory]:
    """The `top` correct trajectories of one problem, best first.

    `trees` are all trees over the problem, by search id: other seeds, earlier rounds. Ranked by
    mean Q, ties by the least Q, then by the order of `trees` (reference `sample_sft_data.py`).
    `pick="random"`: in an order that depends on nothing but their ids.
    `distinct`: every program once. `drop_errors`: without those whose text has the word "error";
    the reference drops them after picking the best, so fewer than `top` may remain.
    """
    found = [
        (_trajectory(search_id, answer), answer)
        for search_id, tree in trees.items()
        for answer in tree.answers()
        if answer.candidate.is_correct
    ]
    found.sort(key=lambda item: _by_value(item[0]) if pick == "best" else _by_lot(item[0]))
    picked = (_distinct(found) if distinct else found)[:top]
    return [one for one, answer in picked if not (drop_errors and _says_error(answer))]


def mean_q(answer: TreeNode) -> float:
    """Mean Q over the path, without the root, which all paths of a tree share."""
    return fmean(node.q for node in answer.path_from_root())


def _by_value(trajectory: Trajectory) -> tuple[float, float]:
    return -trajectory.mean_q, -trajectory.min_q


def _by_lot(trajectory: Trajectory) -> int:
    return seed_of("pick", trajectory.search_id, trajectory.path)


def _trajectory(search_id: str, answer: TreeNode) -> Trajectory:
    least = min(node.q for node in answer.path_from_root())
    return Trajectory(search_id, answer.path, mean_q(answer), least)


def _distinct(found: Iterable[tuple[Trajectory, TreeNode]]) -> list[tuple[Trajectory, TreeNode]]:
    """The first of each program."""
    first: dict[str, tuple[Trajectory, TreeNode]] = {}
    for trajectory, answer in found:
        first.setdefault(_program(answer), (trajectory, answer))
    return list(first.values())


def _program(answer: TreeNode) -> str:
    """All code on the path, without trailing blanks and without the answer's wording."""
    sources = program_of(node.candidate.step for node in answer.path_from_root())
    return "\n".join(line.rstrip() for line in "\n".join(sources).splitlines())


def _says_error(answer: TreeNode) -> bool:
    return any(
        "error" in f"{n.candidate.text}{n.candidate.stdout}".lower()
        for n in answer.path_from_root()
    )
