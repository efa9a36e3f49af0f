"""What Python and sympy print (`3*x**2 + 2`, `(3, pi/2)`, `3+4j`, `Matrix([[1]])`), as a tree.

The text is only parsed, never evaluated: `ast` gives a syntax tree and a whitelist turns it into
ours. Anything outside the whitelist is `NotUnderstood`. Cost is bounded by `MAX_CHARS`.
"""

import ast
import re
from collections.abc import Callable
from fractions import Fraction

from rstar_async.answers import tree
from rstar_async.answers.notation import CONSTANTS, FUNCTIONS, GREEK, decimal_number, permutations
from rstar_async.answers.tree import (
    INFINITY,
    Const,
    Group,
    Node,
    NotUnderstood,
    Num,
    Relation,
    Sym,
    Word,
)
from rstar_async.answers.walking import matrix
from rstar_async.answers.wordlists import words

MAX_CHARS = 1000
MAX_DEPTH = 60
_ALPHABET = re.compile(r"[0-9A-Za-zÀ-ɏ_ .,+\-*/()\[\]{}<>=!&|'\":]+")
_GLUED = re.compile(r"\d(?!(?:[eE][+-]?\d|\.?\d|[jJ]\b))[A-Za-z_]|[\d.]_|\d[jJ]\w")
_SYMBOL = re.compile(r"[A-Za-z](?:_?\d{1,3}|_[A-Za-z]\w{0,8})?")
_NUMPY = re.compile(r"\b(?:np|numpy|sp|sympy|math|mpmath|S)\.(?=[A-Za-z])")
_ARRAY = re.compile(r"\[[\[\]\d\s.eE+-]*\]")
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "=", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.In: "in",
}  # fmt: skip
_OPERATIONS: dict[type[ast.operator], Callable[[Node, Node], Node]] = {
    ast.Add: tree.add,
    ast.Sub: lambda left, right: tree.add(left, tree.negate(tree.scalar(right))),
    ast.Mult: tree.multiply,
    ast.Div: tree.divide,
    ast.FloorDiv: lambda left, right: _floor_division(left, right),
    ast.Pow: tree.power,
    ast.BitAnd: lambda left, right: Group("and", (_relation(left), _relation(right))),
    ast.BitOr: lambda left, right: Group("or", (_relation(left), _relation(right))),
}
_BARE_NUMBERS = words(
    "float64 float32 int64 int32 float int Integer Float S mpf Decimal Fraction Rational"
)
_SETS = {"Reals": "R", "Integers": "Z", "Naturals": "N", "Rationals": "Q", "Complexes": "C"}
_RELATIONS = {
    "Eq": "=", "Ne": "!=", "Lt": "<", "Le": "<=", "Gt": ">", "Ge": ">=", "Equality": "=",
    "StrictLessThan": "<", "LessThan": "<=", "StrictGreaterThan": ">", "GreaterThan": ">=",
}  # fmt: skip
_GROUPS = {
    "FiniteSet": "set", "Union": "union", "Intersection": "intersection", "And": "and", "Or": "or",
    "Complement": "without", "Point": "round", "Point2D": "round", "Point3D": "round",
}  # fmt: skip


def parse_python(text: str) -> Node:
    """The tree of a Python expression; `NotUnderstood` for anything else."""
    text = _with_commas(_NUMPY.sub("", text.strip()))
    if len(text) > MAX_CHARS or not _ALPHABET.fullmatch(text) or _GLUED.search(text):
        raise NotUnderstood(text[:40])
    try:
        parsed = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise NotUnderstood(text[:40]) from error
    if _depth(parsed) > MAX_DEPTH:
        raise NotUnderstood("nested too deeply")
    return _convert(parsed.body, text)


def _with_commas(text: str) -> str:
    """`[[1 2]\\n [3 4]]`, as numpy prints it, with the commas it leaves out."""
    if not _ARRAY.fullmatch(text) or "," in text:
        return text
    return re.sub(r"(?<=[\d.\]])\s+(?=[-+\d.\[])", ", ", text)


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
        case ast.Dict(keys=keys, values=values) if keys and None not in keys:
            pairs = zip((key for key in keys if key), values, strict=True)
            return _mapping([(_convert(k, text), _convert(v, text)) for k, v in pairs])
        case ast.Compare(left=left, ops=operators, comparators=others):
            parts = [_convert(part, text) for part in (left, *others)]
            return _comparison([type(operator) for operator in operators], parts)
        case ast.Call(func=function, args=arguments, keywords=[]):
            return _call(function, [_convert(argument, text) for argument in arguments])
    raise NotUnderstood(text[:40])


def _constant(value: object, written: str) -> Node:
    if isinstance(value, complex):
        return tree.multiply(decimal_number(written[:-1]), Const("i"))
    if isinstance(value, str):
        return _quoted(value.strip())
    if isinstance(value, int | float) and not isinstance(value, bool):
        return decimal_number(written)
    raise NotUnderstood(written[:40])


def _quoted(text: str) -> Node:
    try:
        return tree.negate(decimal_number(text[1:])) if text[:1] == "-" else decimal_number(text)
    except NotUnderstood:
        return Word(text)


def _name(name: str) -> Node:
    if name in ("E", "I"):
        return Const(name.lower())
    if name in CONSTANTS:
        return CONSTANTS[name]
    if name == "EmptySet":
        return Const("empty")
    if name in _SETS:
        return Const(_SETS[name])
    if name in GREEK or _SYMBOL.fullmatch(name):
        return Sym(name.replace("_", ""))
    raise NotUnderstood(name)


def _relation(node: Node) -> Node:
    if isinstance(node, Relation) or (isinstance(node, Group) and node.kind in ("and", "or")):
        return node
    raise NotUnderstood("a bit operation")


def _floor_division(left: Node, right: Node) -> Node:
    """Of numbers a number; of variables a division that should leave nothing."""
    if isinstance(left, Num) and isinstance(right, Num) and right.value:
        return Num(Fraction(left.value // right.value))
    return tree.call("floordiv", left, right)


def _comparison(operators: list[type[ast.cmpop]], parts: list[Node]) -> Node:
    if not all(operator in _COMPARISONS for operator in operators):
        raise NotUnderstood("a comparison")
    pairs = zip(operators, parts[:-1], parts[1:], strict=True)
    found = [Relation(_COMPARISONS[operator], left, right) for operator, left, right in pairs]
    return found[0] if len(found) == 1 else Group("and", tuple(found))


def _mapping(pairs: list[tuple[Node, Node]]) -> Node:
    """`{x: 3, y: 4}` names values; `{2: 3, 3: 1}` is a factorization."""
    pairs = [(Sym(k.text) if isinstance(k, Word) else k, value) for k, value in pairs]
    if all(isinstance(key, Sym) for key, _ in pairs):
        found = tuple(Relation("=", key, value) for key, value in pairs)
        return found[0] if len(found) == 1 else Group("list", found)
    are_whole = all(isinstance(n, Num) and n.value.denominator == 1 for pair in pairs for n in pair)
    if are_whole and all(isinstance(key, Num) and _is_prime(int(key.value)) for key, _ in pairs):
        return tree.multiply(*(tree.power(key, value) for key, value in pairs))
    raise NotUnderstood("a mapping")


def _is_prime(number: int) -> bool:
    return 1 < number < 10**8 and all(number % d for d in range(2, int(number**0.5) + 1))


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
        return _number(arguments[0])
    if name in ("C", "P") and len(arguments) == 2:
        return tree.call("binomial", *arguments) if name == "C" else permutations(*arguments)
    if name in _RELATIONS and len(arguments) == 2:
        return Relation(_RELATIONS[name], *arguments)
    return _collection(name, arguments)


def _number(argument: Node) -> Node:
    """`Decimal('0.5')`: a number, in quotes or not."""
    is_infinite = isinstance(argument, Word) and argument.text in ("Infinity", "inf")
    return INFINITY if is_infinite else tree.scalar(argument)


def _collection(name: str, arguments: list[Node]) -> Node:
    intervals = {"Interval": "square", "Interval.open": "round"}
    intervals |= {"Interval.Lopen": "leftopen", "Interval.Ropen": "rightopen"}
    if name in intervals and len(arguments) == 2:
        return Group(_infinite_ends(intervals[name], arguments), tuple(arguments))
    if name == "Complement" and len(arguments) != 2:
        raise NotUnderstood(name)
    if name in _GROUPS:
        return Group(_GROUPS[name], tuple(arguments))
    if name in ("Matrix", "ImmutableMatrix", "ImmutableDenseMatrix", "array") and arguments:
        return matrix(arguments[0])
    if name in ("set", "list", "tuple", "frozenset") and len(arguments) == 1:
        return arguments[0]
    if name == "set":
        return Const("empty")
    if re.fullmatch("[a-zA-Z]", name):
        return tree.Call(
            name + ("@" if name in "fghFGH" else "?"), tuple(map(tree.scalar, arguments))
        )
    raise NotUnderstood(name)


def _infinite_ends(kind: str, ends: list[Node]) -> str:
    """sympy prints `Interval(-oo, 2)` for what is open at minus infinity."""
    is_open = [kind in ("round", "leftopen"), kind in ("round", "rightopen")]
    is_open[0] |= ends[0] == tree.negate(INFINITY)
    is_open[1] |= ends[1] == INFINITY
    return {(True, True): "round", (True, False): "leftopen", (False, True): "rightopen"}.get(
        (is_open[0], is_open[1]), "square"
    )
