"""Answers that name what they give: `x = 5`, `f(x) = 2x`, `(p, q) = (1, 2)`, `x = 20 + 5 = 25`."""

from itertools import pairwise

from rstar_async.answers.closeness import compare_scalars
from rstar_async.answers.rules import STRICT
from rstar_async.answers.tree import (
    SCALARS,
    Call,
    Group,
    Node,
    Num,
    Power,
    Product,
    Relation,
    Sym,
)
from rstar_async.answers.walking import contains, symbols


def is_name(node: Node) -> bool:
    """`x`, `AB`, `f(1)`, `(p, q)`, `V_1 : V_2`, `NO / BO`; an unknown product `ab` is none."""
    match node:
        case Product(factors=(Sym(name=figure), Sym(name="m"))):
            return figure.startswith("angle ")
        case Product(factors=parts):
            return all(map(_is_point, parts))
        case Group(kind="round" | "ratio", items=parts):
            return all(map(is_name, parts))
        case Call(function="abs", arguments=(inner,)):
            return isinstance(inner, Product) and is_name(inner)
        case Call(function=function):
            return function[-1] in "@?"
        case Sym(name=name):
            return not name.endswith("'")
    return False


def _is_point(node: Node) -> bool:
    if isinstance(node, Power):
        return isinstance(node.exponent, Num) and is_name(node.base)
    return isinstance(node, Sym) and node.name[0].isupper()


def is_named(node: Node) -> bool:
    """Does it say what its value is the value of? For a list, do all its items?"""
    match node:
        case Group(kind="list", items=items):
            return all(map(is_named, items))
        case Relation(operator="=", left=left):
            return is_name(left)
        case Relation(operator="in", left=left, right=Group()):
            return is_name(left)
    return False


def value_of(node: Node) -> Node:
    """What a named answer gives; the names of a list say its order unless they are all one."""
    match node:
        case Group(kind="list", items=items):
            values = tuple(map(value_of, items))
            names = {_name_of(item) for item in items}
            return Group("list" if len(names) == 1 else "named", values)
        case Relation(right=right):
            return right
    return node


def _name_of(node: Node) -> Node:
    """The name without its number: `x_1` and `x_2` are roots in any order."""
    name = node.left if isinstance(node, Relation) else node
    return Sym(name.name.rstrip("0123456789")) if isinstance(name, Sym) else name


def has_relation(node: Node) -> bool:
    return contains(node, Relation) or (isinstance(node, Group) and node.kind == "equal")


def without_working(node: Node, is_trusted: bool) -> Node:
    """`20 + 5 = 25` as 25 and `x = 20 + 5 = 25` as `x = 25`, if the working agrees with the result.

    Trusted: a gold answer, whose result stands whatever comes before it.
    """
    match node:
        case Group(kind="equal", items=items):
            name, *working, result = items
            if not is_name(name):
                working, name = [name, *working], result
            if is_trusted or _agree([*working, result]):
                return result if name is result else Relation("=", name, result)
        case Relation(operator="=", left=left, right=right) if not (symbols(left) | symbols(right)):
            if _agree([left, right]):
                return right
        case Group(kind="list", items=items):
            return Group("list", tuple(without_working(item, is_trusted) for item in items))
    return node


def _agree(parts: list[Node]) -> bool:
    return all(
        one == other
        or (
            isinstance(one, SCALARS)
            and isinstance(other, SCALARS)
            and compare_scalars(one, other, STRICT) == "equal"
        )
        for one, other in pairwise(parts)
    )
