"""Trees written out as LaTeX, for a verifier that reads nothing else.

Only kinds of nodes that math-verify is known to read in full; any other is `NotUnderstood`.
"""

from rstar_async.answers.notation import GREEK
from rstar_async.answers.tree import (
    Call,
    Const,
    Group,
    Node,
    NotUnderstood,
    Num,
    Power,
    Product,
    Relation,
    Sum,
    Sym,
)
from rstar_async.answers.wordlists import words

_CONSTANTS = {"pi": "\\pi", "e": "e", "i": "i", "oo": "\\infty", "empty": "\\emptyset"}
_BRACKETS = {
    "list": ("", ""), "set": ("\\{", "\\}"), "round": ("(", ")"), "square": ("[", "]"),
    "leftopen": ("(", "]"), "rightopen": ("[", ")"),
}  # fmt: skip
_RELATIONS = {
    "=": "=", "<": "<", ">": ">", "<=": "\\leq", ">=": "\\geq", "!=": "\\neq", "in": "\\in",
}  # fmt: skip
_KNOWN = words(
    "sin cos tan cot sec csc sinh cosh tanh asin acos atan log abs factorial binomial floor ceiling"
)
_FUNCTIONS = {
    "asin": "\\arcsin", "acos": "\\arccos", "atan": "\\arctan", "log": "\\ln",
}  # fmt: skip


def to_latex(node: Node) -> str:
    """LaTeX with the same value; every operand is bracketed, so that precedence cannot matter."""
    match node:
        case Num(value=value):
            if value.denominator == 1:
                return str(value.numerator)
            sign = "-" if value < 0 else ""
            return f"{sign}\\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"
        case Sym(name=name):
            return _symbol(name)
        case Const(name=name) if name in _CONSTANTS:
            return _CONSTANTS[name]
        case Sum(terms=terms):
            return " + ".join(map(_bracketed, terms))
        case Product(factors=factors):
            return " \\cdot ".join(map(_bracketed, factors))
        case Power(base=base, exponent=exponent):
            return f"{_bracketed(base)}^{{{to_latex(exponent)}}}"
        case Call(function=function) if function in _KNOWN:
            return _call(node)
        case Relation(operator=operator, left=left, right=right) if operator in _RELATIONS:
            return f"{to_latex(left)} {_RELATIONS[operator]} {to_latex(right)}"
        case Group(kind=kind) if kind in _BRACKETS or kind in ("union", "matrix"):
            return _group(node)
    raise NotUnderstood(f"not for the verifier: {type(node).__name__}")


def _symbol(name: str) -> str:
    letters = name.rstrip("0123456789")
    if len(letters) != 1 and letters not in GREEK:
        raise NotUnderstood(name)
    base = letters if len(letters) == 1 else f"\\{letters}"
    return f"{base}_{{{name[len(letters) :]}}}" if letters != name else base


def _bracketed(node: Node) -> str:
    is_plain = isinstance(node, Sym | Const) or (
        isinstance(node, Num) and node.value.denominator == 1 and node.value >= 0
    )
    return to_latex(node) if is_plain else f"({to_latex(node)})"


def _call(call: Call) -> str:
    inner = ", ".join(map(to_latex, call.arguments))
    match call.function:
        case "abs":
            return f"\\left|{inner}\\right|"
        case "factorial":
            return f"({inner})!"
        case "binomial":
            return "\\binom" + "".join(f"{{{to_latex(part)}}}" for part in call.arguments)
        case "floor" | "ceiling" as name:
            side = {"floor": "floor", "ceiling": "ceil"}[name]
            return f"\\l{side} {inner} \\r{side}"
    return f"{_FUNCTIONS.get(call.function, chr(92) + call.function)}({inner})"


def _group(group: Group) -> str:
    if group.kind == "union":
        return " \\cup ".join(map(to_latex, group.items))
    if group.kind == "matrix":
        rows = (row.items if isinstance(row, Group) else (row,) for row in group.items)
        lines = (" & ".join(map(to_latex, row)) for row in rows)
        return "\\begin{pmatrix}" + " \\\\ ".join(lines) + "\\end{pmatrix}"
    left, right = _BRACKETS[group.kind]
    return left + ", ".join(map(to_latex, group.items)) + right
