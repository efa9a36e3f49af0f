"""Arithmetic on trees where an operand may be a matrix."""

from rstar_async.answers import tree
from rstar_async.answers.tree import Group, Node, NotUnderstood


def _is_matrix(node: Node) -> bool:
    return isinstance(node, Group) and node.kind == "matrix"


def _entries(node: Node) -> list[tuple[Node, ...]]:
    rows = node.items if isinstance(node, Group) else ()
    return [row.items if isinstance(row, Group) else (row,) for row in rows]


def _matrix(rows: list[list[Node]]) -> Node:
    return Group("matrix", tuple(Group("round", tuple(row)) for row in rows))


def total(terms: list[Node]) -> Node:
    if not any(map(_is_matrix, terms)):
        return tree.add(*map(tree.scalar, terms))
    tables = [_entries(term) for term in terms]
    if len({tuple(map(len, table)) for table in tables}) != 1:
        raise NotUnderstood("matrices of different shapes")
    rows = [list(zip(*row, strict=True)) for row in zip(*tables, strict=True)]
    return _matrix([[tree.add(*map(tree.scalar, cell)) for cell in row] for row in rows])


def times(*factors: Node) -> Node:
    matrices = [factor for factor in factors if _is_matrix(factor)]
    if not matrices:
        return tree.multiply(*map(tree.scalar, factors))
    if len(matrices) > 1:
        raise NotUnderstood("a product of matrices")
    scale = tree.multiply(*(tree.scalar(f) for f in factors if f is not matrices[0]))
    rows = _entries(matrices[0])
    return _matrix([[tree.multiply(scale, tree.scalar(cell)) for cell in row] for row in rows])


def quotient(dividend: Node, divisor: Node) -> Node:
    return times(dividend, tree.power(tree.scalar(divisor), tree.MINUS_ONE))


def negative(node: Node) -> Node:
    return times(tree.MINUS_ONE, node) if _is_matrix(node) else tree.negate(tree.scalar(node))
