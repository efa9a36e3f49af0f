"""Combinations of the unit vectors i, j and k as components."""

from rstar_async.answers.tree import ONE, SCALARS, ZERO, Node, Sym
from rstar_async.answers.walking import replace, symbols


def components(node: Node) -> tuple[Node, ...] | None:
    """The coefficients of i, j and k; None where these are not all there is."""
    vectors = [Sym(f"vector {letter}") for letter in "ijk"]
    if not isinstance(node, SCALARS) or not symbols(node) & {vector.name for vector in vectors}:
        return None
    if _at(node, vectors, None) != ZERO:
        return None
    return tuple(_at(node, vectors, vector) for vector in vectors)


def _at(node: Node, vectors: list[Sym], chosen: Sym | None) -> Node:
    for vector in vectors:
        node = replace(node, vector, ONE if vector == chosen else ZERO)
    return node
