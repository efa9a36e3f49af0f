"""The search tree: select, expand, back up. Pure: no clock, no model, no I/O.

Invariants
- Only answers with a value are backed up; a node's `value_sum` is its prior visit (if the PPM
  scored it) plus the values of all answers below it, so |Q| <= 1 (paper Eq. 1-3).
- The -1 of a failed step is never backed up (reference code).
- A node is exhausted when nothing below it can be expanded; selection never enters it.
- A node that is being expanded is reserved: until its candidates are known it cannot be selected,
  and the nodes on its path count one more lost visit (virtual loss). Neither is ever stored.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from rstar_async.search.paths import ROOT_PATH
from rstar_async.text.steps import ROOT_STEP, Step

FAILURE = -1.0
VIRTUAL_LOSS = 1.0


class NodeStatus(StrEnum):
    """The state of a step. Only `ROOT` and `LIVE` nodes may be expanded.

    `TOO_LONG`: the models' context is full, so the policy had no room for a step, or the PPM could
    not read it. `UNFINISHED`: the step reached `max_tokens`.
    """

    ROOT = "root"
    LIVE = "live"
    ANSWER = "answer"
    CODE_ERROR = "code_error"
    TOO_DEEP = "too_deep"
    TOO_LONG = "too_long"
    UNFINISHED = "unfinished"
    MALFORMED = "malformed"

    @property
    def is_open(self) -> bool:
        return self in (NodeStatus.ROOT, NodeStatus.LIVE)


@dataclass(frozen=True, slots=True)
class Selection:
    """How children are compared.

    `unvisited` is the score of a child without visits: "infinity" is standard UCT (every child is
    tried), "zero" is the reference code, which never tries later children if there is no PPM.
    """

    exploration: float = 2.0
    unvisited: Literal["infinity", "zero"] = "infinity"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A step that was generated, executed and scored, ready to become a node.

    `prior` is the PPM's value in [-1, 1], None without a PPM. `value` is an answer's reward in
    [-1, 1], None if it is unknown. `is_correct` is None unless the answer was verified.
    """

    text: str
    status: NodeStatus
    step: Step
    tokens: tuple[int, ...] = ()
    observation_tokens: tuple[int, ...] = ()
    stdout: str = ""
    prior: float | None = None
    value: float | None = None
    answer: str = ""
    is_correct: bool | None = None


@dataclass(slots=True, eq=False)
class TreeNode:
    """A step and its statistics. `path` is the reference's tag: "0" the root, "0.2" its 2nd child.

    `virtual_losses` counts the expansions in flight at or below the node. The node is busy if all
    nodes below it that can grow are being expanded, so that there is nothing to select.
    """

    path: str
    parent: "TreeNode | None"
    depth: int
    candidate: Candidate
    visits: int = 0
    value_sum: float = 0.0
    children: list["TreeNode"] = field(default_factory=list)
    is_exhausted: bool = False
    virtual_losses: int = 0
    is_busy: bool = False

    @property
    def q(self) -> float:
        """Mean value, 0 without visits (paper Eq. 1)."""
        return self.value_sum / self.visits if self.visits else 0.0

    @property
    def status(self) -> NodeStatus:
        return self.candidate.status

    @property
    def can_grow(self) -> bool:
        return self.candidate.status.is_open and not self.is_exhausted

    def path_from_root(self) -> list["TreeNode"]:
        """The nodes from the root's child to this one; empty for the root."""
        nodes: list[TreeNode] = []
        node = self
        while node.parent is not None:
            nodes.append(node)
            node = node.parent
        return nodes[::-1]


class Tree:
    """One problem's search tree."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self.root = TreeNode(ROOT_PATH, None, 0, Candidate("", NodeStatus.ROOT, ROOT_STEP))
        self.nodes: dict[str, TreeNode] = {ROOT_PATH: self.root}
        self._answers: list[TreeNode] = []

    @property
    def is_exhausted(self) -> bool:
        return self.root.is_exhausted

    def select(self, start: TreeNode | None = None) -> TreeNode | None:
        """Descend by UCT to a node without children; None if every node that can still grow is
        being expanded already."""
        node = start or self.root
        while node.children:
            child = self.best_child(node)
            if child is None:
                return None
            node = child
        return None if node.is_exhausted or node.is_busy else node

    def best_child(self, node: TreeNode) -> TreeNode | None:
        """The child with the highest UCT that is neither exhausted nor busy; first wins ties."""
        best, highest = None, -math.inf
        for child in node.children:
            if child.can_grow and not child.is_busy:
                score = self.uct(child)
                if best is None or score > highest:
                    best, highest = child, score
        return best

    def uct(self, node: TreeNode) -> float:
        """`Q + c * sqrt(ln N_parent / N)` (paper Eq. 1), with virtual losses."""
        parent = node.parent
        if parent is None:
            return 0.0
        visits = node.visits + node.virtual_losses
        if visits == 0:
            return math.inf if self._selection.unvisited == "infinity" else 0.0
        q = (node.value_sum - node.virtual_losses * VIRTUAL_LOSS) / visits
        parent_visits = parent.visits + parent.virtual_losses
        if parent_visits == 0:
            return q
        return q + self._selection.exploration * math.sqrt(math.log(parent_visits) / visits)

    def reserve(self, node: TreeNode) -> None:
        """Exclude `node` from selection and apply virtual loss along its path."""
        node.is_busy = True
        self._add_virtual_losses(node, 1)
        self._update_flags(node.parent)

    def release(self, node: TreeNode) -> None:
        """Undo `reserve`; to be called before the node is expanded."""
        node.is_busy = False
        self._add_virtual_losses(node, -1)
        self._update_flags(node.parent)

    def expand(self, node: TreeNode, candidates: Sequence[Candidate]) -> list[TreeNode]:
        """Add children, initialise their values, back answers up and mark exhausted nodes. A node
        may be expanded again: its new children come after those that it has."""
        first = len(node.children) + 1
        children = [self._add(node, c, i) for i, c in enumerate(candidates, start=first)]
        for child in children:
            self._initialise_value(child)
        self._update_flags(node)
        return children

    def restore(self, path: str, candidate: Candidate, visits: int, value_sum: float) -> TreeNode:
        """Add a stored node, whose parent is already there, with its stored statistics."""
        parent = self.nodes[path.rpartition(".")[0]]
        node = self._add(parent, candidate, int(path.rpartition(".")[2]))
        node.visits, node.value_sum = visits, value_sum
        return node

    def close_exhausted(self, expanded: Sequence[str]) -> None:
        """Mark which of the `expanded` paths are exhausted, deepest first; call it once all nodes
        are restored."""
        for path in sorted(expanded, key=lambda p: -p.count(".")):
            self._update_flags(self.nodes[path])

    def answers(self) -> Iterator[TreeNode]:
        """All answer nodes, in the order they were found."""
        return iter(self._answers)

    def _add(self, parent: TreeNode, candidate: Candidate, number: int) -> TreeNode:
        node = TreeNode(f"{parent.path}.{number}", parent, parent.depth + 1, candidate)
        parent.children.append(node)
        self.nodes[node.path] = node
        if candidate.status is NodeStatus.ANSWER:
            self._answers.append(node)
        return node

    def _initialise_value(self, node: TreeNode) -> None:
        if node.status is NodeStatus.ANSWER:
            if node.candidate.value is not None:
                self._back_up(node, node.candidate.value)
        elif node.status is not NodeStatus.LIVE:
            node.visits, node.value_sum = 1, FAILURE
        elif node.candidate.prior is not None:
            node.visits, node.value_sum = 1, node.candidate.prior

    def _back_up(self, node: TreeNode, value: float) -> None:
        """Add an answer's value to itself and to every ancestor, the root included (Eq. 2)."""
        current: TreeNode | None = node
        while current is not None:
            current.visits += 1
            current.value_sum += value
            current = current.parent

    def _add_virtual_losses(self, node: TreeNode | None, change: int) -> None:
        while node is not None:
            node.virtual_losses += change
            node = node.parent

    def _update_flags(self, node: TreeNode | None) -> None:
        """Update `is_exhausted` and `is_busy` from `node` upwards, until nothing changes."""
        while node is not None:
            growing = [child for child in node.children if child.can_grow]
            exhausted = not growing
            busy = not exhausted and all(child.is_busy for child in growing)
            if (exhausted, busy) == (node.is_exhausted, node.is_busy):
                return
            node.is_exhausted, node.is_busy = exhausted, busy
            node = node.parent
