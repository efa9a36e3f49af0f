"""Spelled LaTeX (and plain notation such as `2x + 3`) read into a tree.

Covers what final answers are made of: arithmetic, tuples, sets, intervals and their unions,
matrices, one relation. Whatever is ambiguous or unknown is `NotUnderstood`, so that a slower
judge may look at it. Cost is bounded by `MAX_CHARS` and `MAX_DEPTH`.
"""

from rstar_async.answers.latex_expressions import RELATIONS, Expressions
from rstar_async.answers.latex_tokens import tokenize
from rstar_async.answers.tree import Const, Group, Node, NotUnderstood, Relation

MAX_CHARS = 1000
_CLOSERS = {"(": (")", "]"), "[": (")", "]"), "\\{": ("\\}",), "{": ("}",)}
_BRACKETS = {"()": "round", "[]": "square", "(]": "leftopen", "[)": "rightopen"}


def parse_latex(spelled: str) -> Node:
    """The tree of a spelled answer; `NotUnderstood` for anything outside the grammar."""
    if len(spelled) > MAX_CHARS:
        raise NotUnderstood("too long")
    answer = _Answer(tokenize(spelled))
    node = answer.whole()
    answer.expect("")
    return node


def _both_signs(item: Node) -> tuple[Node, ...]:
    return item.items if isinstance(item, Group) and item.kind == "either" else (item,)


def _is_matrix(item: Node) -> bool:
    return isinstance(item, Group) and item.kind == "matrix"


class _Answer(Expressions):
    """Everything that may hold several expressions."""

    def whole(self) -> Node:
        """A list of relations, unions or sums: everything a box may hold."""
        items = self.items()
        return items[0] if len(items) == 1 else Group("list", tuple(items))

    def items(self) -> list[Node]:
        items = [self.relation()]
        while self.next in (",", ";"):
            self.take()
            items.append(self.relation())
        return [part for item in items for part in _both_signs(item)]

    def relation(self) -> Node:
        left = self.union()
        if self.next not in RELATIONS:
            return left
        operator = RELATIONS[self.take().text]
        relation = Relation(operator, left, self.union())
        if self.next in RELATIONS:
            raise NotUnderstood("a chain of relations")
        return relation

    def union(self) -> Node:
        """`A \\cup B`, or the ratio `a : b`."""
        parts = [self.sum()]
        kind = "ratio" if self.next == ":" else "union"
        while self.accept(":" if kind == "ratio" else "\\cup"):
            parts.append(self.sum())
        return parts[0] if len(parts) == 1 else Group(kind, tuple(parts))

    def bracketed(self, opener: str) -> Node:
        if opener == "\\{" and self.accept("\\}"):
            return Const("empty")
        items = self.items()
        closer = self.take().text
        if closer not in _CLOSERS[opener]:
            raise NotUnderstood("unbalanced brackets")
        if opener == "\\{":
            return Group("set", tuple(items))
        if len(items) == 1 and (opener + closer in ("()", "{}") or _is_matrix(items[0])):
            return items[0]
        if len(items) == 1 and opener + closer != "[]":
            raise NotUnderstood("half an interval")
        kind = "list" if opener == "{" else _BRACKETS[opener + closer]
        return Group(kind, tuple(items))

    def environment(self) -> Node:
        """A matrix, or the relations of `cases` as a list."""
        name = self.take().text
        rows = [self.row()]
        while self.accept("\\\\"):
            if self.next != "\\end":
                rows.append(self.row())
        self.expect("\\end")
        self.expect(name)
        if len({len(row) for row in rows}) != 1:
            raise NotUnderstood("rows of different lengths")
        if name == "{cases}":
            if any(len(row) != 1 or not isinstance(row[0], Relation) for row in rows):
                raise NotUnderstood("cases that are no system")
            return Group("list", tuple(row[0] for row in rows))
        return Group("matrix", tuple(Group("round", tuple(row)) for row in rows))

    def row(self) -> list[Node]:
        cells = [self.relation()]
        while self.accept("&"):
            cells.append(self.relation())
        return cells
