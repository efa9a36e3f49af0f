"""Rows of HumanEval, of MBPP, and of any other file, as descriptions with tests.

HumanEval and MBPP are known by their columns. Any other row has its description in
`problems.question`, its tests in `problems.answer` (a list of sources, one source, or the stored
form), and perhaps `problems.entry_point`, `problems.setup` and `problems.solution`.
"""

import ast
import doctest
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rstar_async.config import ProblemsConfig
from rstar_async.domains.columns import label_column, required_column, value_in
from rstar_async.domains.programming.problem import ProblemTests, checked, parsed, read_tests
from rstar_async.domains.programming.splitting import split_tests
from rstar_async.errors import BadInput

HUMANEVAL = ("prompt", "entry_point", "test")
MBPP = ("code", "test_list")


def read_row(row: Mapping[str, Any], columns: ProblemsConfig, where: str) -> tuple[str, str]:
    """The description and the stored form of the tests; `BadInput` starts with `where`."""
    if columns.answer in row:
        question, tests = _any_row(row, columns, where)
    elif all(name in row for name in HUMANEVAL):
        question, tests = _humaneval(row, where)
    elif all(name in row for name in MBPP):
        question, tests = _mbpp(row, where)
    else:
        question, tests = _any_row(row, columns, where)
    return question, checked(tests, where).stored()


def given_tests(question: str, source: str, where: str) -> tuple[str, str]:
    """A question with tests that its author shows: they judge programs, and those that fail one
    vote for themselves alone."""
    name = called_function([source], "", where)
    tests = tuple(split_tests(source, name))
    shown = checked(ProblemTests(name, tests, public=tests), where)
    return _with_example(question, name, tests[:1]), shown.stored()


def _with_example(text: str, name: str, shown: Sequence[str]) -> str:
    lines = [text, f"The function is `{name}`.", *(f"Example: {test}" for test in shown)]
    return "\n".join(lines)


def _humaneval(row: Mapping[str, Any], where: str) -> tuple[str, ProblemTests]:
    """The prompt ends with the head of the function that is to be written."""
    prompt = str(row["prompt"])
    name = required_column(row, "entry_point", where)
    body = str(row.get("canonical_solution") or "")
    head = parsed(prompt, f"{where}: its prompt")
    source = required_column(row, "test", where)
    parsed(source, f"{where}: its test")
    return prompt.strip(), ProblemTests(
        entry_point=name,
        tests=tuple(split_tests(source, name)),
        public=tuple(examples_in(_documentation(head, name), name)),
        setup="\n".join(ast.unparse(node) for node in head.body if not _defines(node, name)),
        solution=f"{prompt}{body}" if body.strip() else "",
    )


def _mbpp(row: Mapping[str, Any], where: str) -> tuple[str, ProblemTests]:
    """The first of the tests is shown, because the descriptions do not name the function."""
    text = required_column(row, "text" if "text" in row else "prompt", where)
    solution = str(row["code"] or "").replace("\r\n", "\n")
    sources = [*_texts(row, "test_list", where), *_texts(row, "challenge_test_list", where)]
    name = called_function(sources, solution, where)
    tests = [test for source in sources for test in split_tests(source, name)]
    shown, hidden = tests[:1] if len(tests) > 1 else [], tests[1:] or tests
    imports = "\n".join(_texts(row, "test_imports", where))
    return _with_example(text, name, shown), ProblemTests(
        entry_point=name,
        tests=tuple(hidden),
        public=tuple(shown),
        helpers=imports,
        fixtures=str(row.get("test_setup_code") or "").replace("\r\n", "\n"),
        solution=solution,
    )


def _any_row(
    row: Mapping[str, Any], columns: ProblemsConfig, where: str
) -> tuple[str, ProblemTests]:
    question = required_column(row, columns.question, where)
    value = value_in(row, columns.answer)
    if isinstance(value, Mapping):
        raise BadInput(f"{where}: column {columns.answer!r} is an object; give its JSON as a text")
    sources = _texts(row, columns.answer, where)
    if len(sources) == 1 and sources[0].lstrip().startswith("{"):
        return question, read_tests(sources[0], where)
    if not sources:
        required_column(row, columns.answer, where)
    solution = label_column(row, columns.solution)
    name = label_column(row, columns.entry_point) or called_function(sources, solution, where)
    return question, ProblemTests(
        entry_point=name,
        tests=tuple(test for source in sources for test in split_tests(source, name)),
        setup=label_column(row, columns.setup),
        solution=solution,
    )


def examples_in(text: str, name: str) -> Iterator[str]:
    """The examples of a documentation text (`>>> f(1)` and a value) as tests."""
    try:
        examples = doctest.DocTestParser().get_examples(text)
    except ValueError:
        return
    for example in examples:
        try:
            ast.literal_eval(example.want.strip())
            call = ast.parse(example.source.strip(), mode="eval")
        except (SyntaxError, ValueError):
            continue
        if any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(call)):
            yield f"assert {ast.unparse(call)} == {example.want.strip()}"


def called_function(tests: Sequence[str], solution: str, where: str) -> str:
    """The function that all tests call: one that the solution defines, if there is a solution."""
    called = [_called(parsed(test, f"{where}: a test")) for test in tests]
    common = [name for name in (called[0] if called else ()) if all(name in c for c in called)]
    tree = parsed(solution, f"{where}: its solution")
    defined = {getattr(node, "name", "") for node in tree.body}
    names = [name for name in common if name in defined or not solution]
    if not names:
        raise BadInput(f"{where}: no function is called by all tests; name it in an entry point")
    return names[0]


def _called(tree: ast.Module) -> list[str]:
    """The functions that a source calls by name, the innermost last."""
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [node.id for node in calls if isinstance(node, ast.Name)]


def _texts(row: Mapping[str, Any], name: str, where: str) -> list[str]:
    value = value_in(row, name) if name in row else []
    values = [value] if isinstance(value, str) else value or []
    if not isinstance(values, list | tuple) or not all(isinstance(v, str) for v in values):
        raise BadInput(f"{where}: column {name!r} must be a source, or a list of sources")
    for source in values:
        parsed(source, f"{where}: column {name!r}")
    return list(values)


def _documentation(head: ast.Module, name: str) -> str:
    found = next((node for node in head.body if _defines(node, name)), None)
    return (ast.get_docstring(found) or "") if isinstance(found, ast.FunctionDef) else ""


def _defines(node: ast.stmt, name: str) -> bool:
    return isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name
