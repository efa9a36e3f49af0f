"""Solved examples of the user's own, from which a model learns the format of solutions.

A solution is in the trajectory format with its tags, as `rstar export --as sft` writes it; or a
plain Python program, which `program_steps` cuts into steps at its comments; or an equation.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rstar_async.config import Recipe
from rstar_async.data.equations import solution_of_equation
from rstar_async.data.files import read_rows
from rstar_async.data.program_steps import steps_of_program
from rstar_async.domains.registry import domain_class
from rstar_async.errors import BadInput
from rstar_async.sanitize import listed
from rstar_async.text import tags
from rstar_async.text.steps import observation

QUESTIONS = ("query",)
SOLUTIONS = ("solution", "response", "program")
EQUATION = "equation"


class SolvedExample(NamedTuple):
    """A question and its solution in the trajectory format."""

    question: str
    solution: str


def solved_examples(recipe: Recipe) -> list[SolvedExample]:
    """The first `bootstrap.demonstrations` examples of `bootstrap.source`; `BadInput` names the row
    that cannot be learnt from."""
    settings = recipe.bootstrap
    rows = read_rows(settings.source)
    found = [
        _example(recipe, row, where)
        for (where, row), _ in zip(rows, range(settings.demonstrations), strict=False)
    ]
    if not found:
        raise BadInput(f"bootstrap.source: {settings.source} has no examples")
    return found


def _example(recipe: Recipe, row: Mapping[str, Any], where: str) -> SolvedExample:
    question = _text(row, (recipe.problems.question, *QUESTIONS), where)
    if EQUATION in row and not any(row.get(name) for name in SOLUTIONS):
        equation = _text(row, (EQUATION,), where)
        steps, printed = solution_of_equation(question, equation, where)
        return SolvedExample(question, trajectory(steps, printed))
    solution = _text(row, SOLUTIONS, where)
    if tags.CODE in solution:
        return SolvedExample(question, _checked(solution, where))
    answer = _answer(recipe, row, question, where)
    return SolvedExample(question, trajectory(steps_of_program(solution, where), answer))


def trajectory(steps: Sequence[str], answer: str) -> str:
    """Steps, the last of which prints `answer`, in the trajectory format. Nothing is executed."""
    *before, last = steps
    pieces = [f"{step}\n{tags.END_OF_STEP}\n" for step in before]
    closing = f"{last}\n{tags.END_OF_CODE}{observation(answer)}\n"
    boxed = f"{tags.ANSWER}The answer is \\boxed{{{answer}}}.{tags.END_OF_ANSWER}"
    return f"{tags.CODE}\n{''.join(pieces)}{closing}{boxed}"


def _checked(solution: str, where: str) -> str:
    text = solution.strip()
    missing = [tag for tag in (tags.END_OF_CODE, tags.OUTPUT, tags.ANSWER) if tag not in text]
    if missing or not text.endswith(tags.END_OF_ANSWER):
        lacks = missing[0] if missing else f"{tags.END_OF_ANSWER} at its end"
        raise BadInput(f"{where}: the solution has tags, but lacks {lacks}")
    return text


def _answer(recipe: Recipe, row: Mapping[str, Any], question: str, where: str) -> str:
    """The answer as the domain reads it from a row of problems."""
    named = {**row, recipe.problems.question: question}
    return domain_class(recipe.problems.domain).read_problem(named, recipe.problems, where)[1]


def _text(row: Mapping[str, Any], names: tuple[str, ...], where: str) -> str:
    for name in names:
        if isinstance(value := row.get(name), str) and value.strip():
            return value
    raise BadInput(f"{where}: a solved example needs a column {names[0]!r}; it has {listed(row)}")
