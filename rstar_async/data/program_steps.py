"""A plain Python program as reasoning steps: a new one at each comment above a statement. Pure.

Reads the program without executing it.
"""

import ast
from itertools import pairwise

from rstar_async.errors import BadInput
from rstar_async.sanitize import one_line

LAST = "# Now print the final answer"


def steps_of_program(program: str, where: str) -> list[str]:
    """The steps as text, each a comment with the statements below it; the last one prints.

    `BadInput` starts with `where` if the program cannot be read or does not end with a print.
    """
    lines = program.strip("\n").splitlines()
    statements = _statements(program.strip("\n"), where)
    if not statements or not _prints(statements[-1]):
        raise BadInput(f"{where}: the program must end with a statement print(ANSWER)")
    *starts, end = _starts(lines, statements)
    cuts = [0, *(start for start in starts if start), end]
    steps = ["\n".join(lines[one:other]).strip("\n") for one, other in pairwise(cuts)]
    printing = "\n".join(lines[end:]).strip("\n")
    last = printing if printing.startswith("#") else f"{LAST}\n{printing}"
    return [*(step for step in steps if step), last]


def _statements(program: str, where: str) -> list[ast.stmt]:
    try:
        return ast.parse(program).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = one_line(str(error) or type(error).__name__, 200)
        raise BadInput(f"{where}: the solution is no Python program: {reason}") from None


def _prints(statement: ast.stmt) -> bool:
    call = statement.value if isinstance(statement, ast.Expr) else None
    return (
        isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "print"
    )


def _starts(lines: list[str], statements: list[ast.stmt]) -> list[int]:
    """The lines, from 0, where comments above a statement begin; then that of the last step."""
    starts = [_above(lines, statement) for statement in statements]
    commented = [start for start, s in zip(starts, statements, strict=True) if start < s.lineno - 1]
    last = starts[-1]
    return [*(start for start in commented if start < last), last]


def _above(lines: list[str], statement: ast.stmt) -> int:
    """The line of the first comment right above a statement, else its own line."""
    line = statement.lineno - 1
    while line and lines[line - 1].startswith("#"):
        line -= 1
    return line
