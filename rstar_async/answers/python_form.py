"""What Python and sympy print (`3*x**2 + 2`, `(3, pi/2)`, `3+4j`, `Matrix([[1]])`), as a tree.

The text is only parsed, never evaluated: `ast` gives a syntax tree and a whitelist turns it into
ours. Anything outside the whitelist is `NotUnderstood`. Cost is bounded by `MAX_CHARS`.
"""

import ast
import re
from collections.abc import Callable

from rstar_async.answers import tree
from rstar_async.answers.notation import CONSTANTS, FUNCTIONS, GREEK, decimal_number
from rstar_async.answers.tree import Const, Group, Node, NotUnderstood, Relation, Sym

MAX_CHARS = 1000
MAX_DEPTH = 60
_ALPHABET = re.compile(r"[0-9A-Za-z_ .,+\-*/()\[\]{}<>=!]+")
_GLUED = re.compile(r"\d(?!(?:[eE][+-]?\d|\.?\d|[jJ]\b))[A-Za-z_]|[\d.]_|\d[jJ]\w")
_SYMBOL = re.compile(r"[A-Za-z](?:_?\d{1,3})?")
_NUMPY = re.compile(r"\b(?:np|numpy|sp|sympy|math)\.(?=[A-Za-z])")
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "=", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
_OPERATIONS: dict[type[ast.operator], Callable[[Node, Node], Node]] = {
    ast.Add: tree.add,
    ast.Sub: lambda left, right: tree.add(left, tree.negate(tree.scalar(right))),
    ast.Mult: tree.multiply,
    ast.Div: tree.divide,
    ast.Pow: tree.power,
}
_BARE_NUMBERS = ("float64", "float32", "int64", "int32", "float", "int", "Integer", "Float", "S")


def parse_python(text: str) -> Node:
    """The tree of a Python expression; `NotUnderstood` for anything else."""
    text = _NUMPY.sub("", text.strip())
    if len(text) > MAX_CHARS or not _ALPHABET.fullmatch(text) or _GLUED.search(text):
        raise NotUnderstood(text[:40])
    try:
        parsed = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise NotUnderstood(text[:40]) from error
    if _depth(parsed) > MAX_DEPTH:
        raise NotUnderstood("nested too deeply")
    return _convert(parsed.body, text)


def _depth(root: ast.AST) -> int:
    """Nesting of a syntax tree, counted level by level so that nothing recurses."""
    level, depth = [root], 0
    while level:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        depth += 1
    return depth


def _convert(node: ast.expr, text: str) -> Node:
    match node:
        case ast.Constant(value):
            return _constant(value, ast.get_source_segment(text, node) or "")
        case ast.Name(id=name):
            return _name(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return tree.negate(tree.scalar(_convert(operand, text)))
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return tree.scalar(_convert(operand, text))
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATIONS:
            return _OPERATIONS[type(operator)](_convert(left, text), _convert(right, text))
        case ast.Tuple(elts=items):
            kind = "round" if text[node.col_offset] == "(" else "list"
            return Group(kind, tuple(_convert(item, text) for item in items))
        case ast.List(elts=items):
            return Group("square", tuple(_convert(item, text) for item in items))
        case ast.Set(elts=items):
            return Group("set", tuple(_convert(item, text) for item in items))
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            if type(operator) in _COMPARISONS:
                symbol = _COMPARISONS[type(operator)]
                return Relation(symbol, _convert(left, text), _convert(right, text))
        case ast.Call(func=function, args=arguments, keywords=[]):
            return _call(function, [_convert(argument, text) for argument in arguments])
    raise NotUnderstood(text[:40])


def _constant(value: object, written: str) -> Node:
    if isinstance(value, complex):
        return tree.multiply(decimal_number(written[:-1]), Const("i"))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return decimal_number(written)
    raise NotUnderstood(written[:40])


def _name(name: str) -> Node:
    if name in CONSTANTS:
        return CONSTANTS[name]
    if name == "EmptySet":
        return Const("empty")
    if name in GREEK or _SYMBOL.fullmatch(name):
        return Sym(name.replace("_", ""))
    raise NotUnderstood(name)


def _call(function: ast.expr, arguments: list[Node]) -> Node:
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return _collection(f"{function.value.id}.{function.attr}", arguments)
    if not isinstance(function, ast.Name):
        raise NotUnderstood("a call of an expression")
    name = function.id
    if name in FUNCTIONS:
        return FUNCTIONS[name](arguments)
    if name in ("Rational", "Fraction") and len(arguments) == 2:
        return tree.divide(arguments[0], arguments[1])
    if name in _BARE_NUMBERS and len(arguments) == 1:
        return tree.scalar(arguments[0])
    return _collection(name, arguments)


def _collection(name: str, arguments: list[Node]) -> Node:
    intervals = {"Interval": "square", "Interval.open": "round"}
    intervals |= {"Interval.Lopen": "leftopen", "Interval.Ropen": "rightopen"}
    if name in intervals and len(arguments) == 2:
        return Group(intervals[name], tuple(arguments))
    if name == "FiniteSet":
        return Group("set", tuple(arguments))
    if name == "Union":
        return Group("union", tuple(arguments))
    if name == "Eq" and len(arguments) == 2:
        return Relation("=", arguments[0], arguments[1])
    if name in ("Matrix", "ImmutableMatrix", "array") and len(arguments) == 1:
        return matrix(arguments[0])
    if name in ("set", "list", "tuple") and len(arguments) == 1:
        return arguments[0]
    raise NotUnderstood(name)


def matrix(rows: Node) -> Node:
    """A matrix from a list of equally long lists, or a column from a list of scalars."""
    if not isinstance(rows, Group) or not rows.items:
        raise NotUnderstood("not a matrix")
    items = [row.items if isinstance(row, Group) else (row,) for row in rows.items]
    if len({len(row) for row in items}) != 1:
        raise NotUnderstood("rows of different lengths")
    return Group("matrix", tuple(Group("round", row) for row in items))
