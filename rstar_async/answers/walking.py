"""Looking through trees and building them anew."""

from rstar_async.answers.tree import (
    Call,
    Group,
    Node,
    NotUnderstood,
    Power,
    Product,
    Quantity,
    Relation,
    Sum,
    Sym,
    Where,
    add,
    multiply,
    power,
)


def children(node: Node) -> tuple[Node, ...]:
    """The nodes inside a scalar, group or relation."""
    match node:
        case Sum(terms=parts) | Product(factors=parts) | Call(arguments=parts) | Group(items=parts):
            return parts
        case Power(base=base, exponent=exponent):
            return base, exponent
        case Relation(left=left, right=right):
            return left, right
        case Where(body=body, conditions=conditions):
            return body, *conditions
        case Quantity(value=value):
            return (value,)
    return ()


def contains(node: Node, kinds: "type | tuple[type, ...]") -> bool:
    """Is there a node of one of these kinds in it?"""
    return isinstance(node, kinds) or any(contains(child, kinds) for child in children(node))


def symbols(node: Node) -> frozenset[str]:
    """The names of the variables in it."""
    if isinstance(node, Sym):
        return frozenset((node.name,))
    return frozenset().union(*map(symbols, children(node)))


def replace(node: Node, old: Node, new: Node) -> Node:
    """The node with every occurrence of `old` replaced, built anew so that it stays folded."""
    if node == old:
        return new
    match node:
        case Sum(terms=parts):
            return add(*(replace(part, old, new) for part in parts))
        case Product(factors=parts):
            return multiply(*(replace(part, old, new) for part in parts))
        case Power(base=base, exponent=exponent):
            return power(replace(base, old, new), replace(exponent, old, new))
        case Call(function=function, arguments=parts):
            return Call(function, tuple(replace(part, old, new) for part in parts))
        case Group(kind=kind, items=parts):
            return Group(kind, tuple(replace(part, old, new) for part in parts))
        case Relation(operator=operator, left=left, right=right):
            return Relation(operator, replace(left, old, new), replace(right, old, new))
    return node


def matrix(rows: Node) -> Group:
    """A matrix from a list of equally long lists, or a column from a list of scalars."""
    if not isinstance(rows, Group) or not rows.items:
        raise NotUnderstood("not a matrix")
    items = [row.items if isinstance(row, Group) else (row,) for row in rows.items]
    if len({len(row) for row in items}) != 1:
        raise NotUnderstood("rows of different lengths")
    return Group("matrix", tuple(Group("round", row) for row in items))
