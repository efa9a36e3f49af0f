"""Cuts a test source into tests that stand for themselves. Pure.

Each statement that demands something becomes one test, with the statements before it that demand
nothing (imports, data, helpers). Where a later statement needs names that such a test sets, the
source stays one test.
"""

import ast
from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import TypeGuard

CHECK = "check"  # HumanEval's name for the function that tests a function


def split_tests(source: str, function: str) -> list[str]:
    """The tests of `function` in a source that Python can parse; none if it demands nothing.

    The source is assertions one after the other, or has a function `check` that makes them of its
    argument.
    """
    module = ast.parse(source)
    check = next(filter(_is_check, module.body), None)
    if check is None:
        parts = _cut(module.body, function)
        return parts if parts is not None else [ast.unparse(module)]
    around = [node for node in module.body if node is not check and not _is_metadata(node)]
    renamed = _Renamed(check.args.args[0].arg, function)
    body = [renamed.visit(deepcopy(node)) for node in check.body]
    parts = _cut([*around, *body], function)
    if parts is not None:
        return parts
    call = ast.parse(f"{CHECK}({function})").body
    return [_source([*around, check, *call])]


def _cut(body: Sequence[ast.stmt], function: str) -> list[str] | None:
    """A source for each demand; None if one depends on names that another sets."""
    tests: list[str] = []
    before: list[ast.stmt] = []
    set_by_tests: set[str] = set()
    for statement in body:
        if isinstance(statement, ast.Return) or set_by_tests & _names(statement, ast.Load):
            return None
        if not _demands(statement, function):
            before.append(statement)
            continue
        set_by_tests |= _names(statement, ast.Store)
        needed = [one for one in before if not _is_unused_import(one, [*before, statement])]
        if not _is_constant(statement) and _mentions([*needed, statement], function):
            tests.append(_source([*needed, statement]))
    return tests


def _source(body: Iterable[ast.stmt]) -> str:
    return "\n".join(map(ast.unparse, body))


def _is_unused_import(statement: ast.stmt, body: Iterable[ast.stmt]) -> bool:
    if not isinstance(statement, ast.Import | ast.ImportFrom):
        return False
    names = {alias.asname or alias.name.partition(".")[0] for alias in statement.names}
    return "*" not in names and not any(names & _names(one, ast.Load) for one in body)


def _demands(statement: ast.stmt, function: str) -> bool:
    """Whether it is there to fail: it asserts, raises, or only calls the function."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return False
    if any(isinstance(node, ast.Assert | ast.Raise) for node in ast.walk(statement)):
        return True
    return isinstance(statement, ast.Expr) and not isinstance(statement.value, ast.Constant)


def _is_constant(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Assert) and isinstance(statement.test, ast.Constant)


def _mentions(body: Iterable[ast.stmt], name: str) -> bool:
    nodes = (node for statement in body for node in ast.walk(statement))
    return any(isinstance(node, ast.Name) and node.id == name for node in nodes)


def _names(statement: ast.stmt, context: type[ast.expr_context]) -> set[str]:
    nodes = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
    return {node.id for node in nodes if isinstance(node.ctx, context)}


def _is_check(node: ast.stmt) -> TypeGuard[ast.FunctionDef]:
    return isinstance(node, ast.FunctionDef) and node.name == CHECK and len(node.args.args) == 1


def _is_metadata(node: ast.stmt) -> bool:
    """HumanEval's note on who wrote the tests."""
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "METADATA"


class _Renamed(ast.NodeTransformer):
    def __init__(self, old: str, new: str) -> None:
        self._old, self._new = old, new

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if node.id != self._old:
            return node
        return ast.copy_location(ast.Name(self._new, node.ctx), node)
