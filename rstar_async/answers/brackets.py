"""Brackets and environments: tuples, sets, intervals, matrices, piecewise values."""

from rstar_async.answers import tree
from rstar_async.answers.reader import Reader
from rstar_async.answers.tokens import Token
from rstar_async.answers.tree import Const, Group, Node, NotUnderstood, Relation, Word

_CLOSERS = {
    "(": (")", "]"), "[": (")", "]"), "\\{": ("\\}",), "{": ("}",), "\\langle": ("\\rangle",),
    "\\lfloor": ("\\rfloor",), "\\lceil": ("\\rceil",),
}  # fmt: skip
_BRACKETS = {
    "()": "round", "[]": "square", "(]": "leftopen", "[)": "rightopen", "{}": "list",
    "\\langle\\rangle": "angle",
}  # fmt: skip


class Brackets(Reader):
    """What stands between an opening sign and its closing one."""

    def bracketed(self, opener: str) -> Node:
        if opener == "\\{" and self.accept("\\}"):
            return Const("empty")
        start, is_formula = self.position, self.is_formula
        bars, self.bars = self.bars, int(opener == "\\{")
        self.is_formula = is_formula or opener == "{"
        is_set, self.is_set = self.is_set, opener == "\\{"
        items, joiners = self.joined(expands=self.is_set)
        if isinstance(items[0], Word) and opener == "(" and not self.is_item_after_bracket():
            self.position, self.is_formula = start, True
            items, joiners = self.joined()
        self.is_formula, is_builder = is_formula, self.is_set and self.next in ("|", ":")
        if is_builder:
            items = [self.builder(items)]
        self.bars, self.is_set = bars, is_set
        closer = self.take().text
        if closer not in _CLOSERS[opener]:
            raise NotUnderstood("unbalanced brackets")
        return self.enclosed(opener, closer, items, joiners)

    def is_item_after_bracket(self) -> bool:
        """Does the bracket here end the item, so that words may stand in it?"""
        before, self.position = self.position, min(self.position + 1, len(self.tokens) - 1)
        ends = self.ends_item()
        self.position = before
        return ends

    def builder(self, items: list[Node]) -> Node:
        self.take()
        conditions, joiners = self.joined()
        are_values = "or" in joiners and all(isinstance(item, Relation) for item in conditions)
        condition = Group("or", tuple(conditions)) if are_values else combined(conditions, joiners)
        if len(items) != 1:
            raise NotUnderstood("a set of several things")
        return Group("builder", (items[0], condition))

    def enclosed(self, opener: str, closer: str, items: list[Node], joiners: set[str]) -> Node:
        if opener in ("\\lfloor", "\\lceil"):
            if len(items) != 1:
                raise NotUnderstood(opener)
            return tree.call("floor" if opener == "\\lfloor" else "ceiling", tree.scalar(items[0]))
        if opener == "\\{":
            is_builder = isinstance(items[0], Group) and items[0].kind == "builder"
            return items[0] if is_builder else Group("set", tuple(items))
        is_matrix = isinstance(items[0], Group) and items[0].kind == "matrix"
        if len(items) == 1 and (opener + closer in ("()", "{}") or is_matrix):
            return items[0]
        if len(items) == 1 and opener + closer not in ("[]", "\\langle\\rangle"):
            raise NotUnderstood("half an interval")
        if opener == "(" and joiners & {"and", "or"}:
            return combined(items, joiners)
        return Group(_BRACKETS[opener + closer], tuple(items))

    def environment(self, name: str) -> Node:
        """A matrix, the relations of `cases` as a list, or the pieces of a function."""
        rows = [self.row(name)]
        while self.accept("\\\\"):
            if self.next_kind != "end":
                rows.append(self.row(name))
        if self.take() != Token("end", name, self.ahead(-1).spaced):
            raise NotUnderstood(f"expected the end of {name}")
        if len({len(row) for row in rows}) != 1:
            raise NotUnderstood("rows of different lengths")
        if name in ("cases", "aligned", "align", "gathered"):
            return _system(rows)
        if name.removesuffix("matrix") not in ("", "p", "b", "B", "small") and name != "array":
            raise NotUnderstood(name)
        return Group("matrix", tuple(Group("round", tuple(row)) for row in rows))

    def row(self, name: str) -> list[Node]:
        cells = [self.cell(name)]
        while self.accept("&"):
            cells.append(self.cell(name))
        return cells

    def cell(self, name: str) -> Node:
        if name == "cases" and self.next in ("if", "for", "when"):
            self.take()
        cell = self.special() or self.relation()
        if name == "cases":
            self.accept(",")
        return cell


def combined(items: list[Node], joiners: set[str]) -> Node:
    if len(items) == 1:
        return items[0]
    are_conditions = all(map(is_condition, items))
    if "logic" in joiners and not are_conditions:
        raise NotUnderstood("a formula of logic")
    joiners = joiners - {"logic"}
    if joiners == {"or"} and len(_names(items)) == len(items):
        return Group("or", tuple(items))
    if are_conditions and "or" in joiners and "and" not in joiners:
        return Group("or", tuple(items))
    excludes = any(isinstance(item, Relation) and item.operator in ("!=", "in") for item in items)
    if are_conditions and (joiners == {"and"} or (joiners == {","} and excludes)):
        return Group("and", tuple(items))
    if isinstance(items[0], Relation) and items[0].operator == "!=":
        first = items[0]
        if all(isinstance(item, tree.SCALARS) for item in items[1:]):
            rest = (Relation("!=", first.left, item) for item in items[1:])
            return Group("and", (first, *rest))
    return Group("list", tuple(items))


def _names(items: list[Node]) -> set[Node]:
    """What the equations among the items are about."""
    return {item.left for item in items if isinstance(item, Relation) and item.operator == "="}


def is_condition(node: Node) -> bool:
    """Does it restrict a value rather than give it? `x < 5`, `x \\neq 0`, not `x = 5`."""
    if isinstance(node, Group):
        return node.kind in ("and", "or")
    return isinstance(node, Relation) and node.operator in ("<", "<=", ">", ">=", "!=", "in")


def _system(rows: list[list[Node]]) -> Node:
    if all(len(row) == 1 and isinstance(row[0], Relation) for row in rows):
        return Group("list", tuple(row[0] for row in rows))
    if len(rows[0]) != 2:
        raise NotUnderstood("cases that are no system")
    if not all(isinstance(row[1], Relation | Group | Word) for row in rows):
        raise NotUnderstood("cases without conditions")
    return Group("cases", tuple(Group("round", tuple(row)) for row in rows))
