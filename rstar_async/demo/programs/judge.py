"""Whether a step does what the description says, for the demo's tasks, whose meaning is known.

A step is judged by the body of the function that it defines, which must continue the newest
function before it. The body of another operation is wrong; one that is no operation's has no
verdict.
"""

import ast
import re
from collections.abc import Sequence
from functools import cache, lru_cache
from string import Template

from rstar_async.demo.judge import ProgramJudge, come_next, quoted
from rstar_async.demo.programs.operation import Operation, define
from rstar_async.demo.programs.tasks import FIRST, LAST
from rstar_async.demo.programs.wording import OPERATIONS, is_aside
from rstar_async.demo.sentences import Sentence, numbered_sentences

_PLACEHOLDERS = {"n": r"\d+", "c": "[a-z]", "d": "[a-z]"}
_IDENTITY = "$v"
_DEFINED = re.compile(r"^def (\w+)\(v\):", re.MULTILINE)


def program_judge(question: str) -> ProgramJudge | None:
    """The judge of programs for one task; None unless it is one of the demo."""
    sentences = read_task(question)
    if sentences is None:
        return None

    def judge(program: Sequence[str]) -> bool | None:
        *before, last = program
        numbers = quoted(last)
        if not numbers:
            return None
        if not come_next(sentences, [n for source in before for n in quoted(source)], numbers):
            return False
        bodies = [line for number in numbers for line in sentences[number - 1].lines]
        return _does(last, bodies, _newest(before))

    return judge


@lru_cache(maxsize=1024)
def read_task(question: str) -> tuple[Sentence, ...] | None:
    """The sentences in order, each with the template of the body that it asks for, none for an
    aside; None unless all of them are the demo's."""
    texts = numbered_sentences(question.partition("\n")[0])
    if not texts or texts[0] not in FIRST.values() or texts[-1] != LAST:
        return None
    bodies = [(_IDENTITY,), *map(_bodies, texts[1:-1]), (_IDENTITY,)]
    read = [
        Sentence(text, lines)
        for text, lines in zip(texts, bodies, strict=True)
        if lines is not None
    ]
    return tuple(read) if len(read) == len(texts) else None


def _bodies(text: str) -> tuple[str, ...] | None:
    """The template of a sentence with its number and letters; None if it is not the demo's."""
    for pattern, operation in _patterns():
        if (found := pattern.fullmatch(text)) is not None:
            return (Template(operation.body).safe_substitute(found.groupdict()),)
    return () if is_aside(text) else None


@cache
def _patterns() -> list[tuple[re.Pattern[str], Operation]]:
    """What each wording looks like with any number and any letters in it."""
    return [
        (_pattern(wording), operation) for operation in OPERATIONS for wording in operation.wordings
    ]


def _pattern(wording: str) -> re.Pattern[str]:
    pattern = re.escape(wording)
    for name, kind in _PLACEHOLDERS.items():
        pattern = pattern.replace(re.escape(f"${name}"), f"(?P<{name}>{kind})")
    return re.compile(pattern)


def _newest(before: Sequence[str]) -> str:
    """The value that the functions of the steps before lead to."""
    names = [name for source in before for name in _DEFINED.findall(source)]
    return f"{names[-1]}(v)" if names else "v"


def _does(source: str, templates: Sequence[str], value: str) -> bool | None:
    """Whether `source` defines a function of these bodies; None if that cannot be told."""
    body = _body(source)
    if body is None or len(templates) > 1:
        return None
    wanted = _spelt(templates[0], value) if templates else ""
    if body == wanted:
        return True
    return False if not body or _shape(body) in _shapes(value) else None


def _body(source: str) -> str | None:
    """The bodies of the functions in the source, in one spelling; None if it is no Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return "\n".join(ast.unparse(line) for function in functions for line in function.body)


def _spelt(template: str, value: str, **parameters: str) -> str:
    """The body of an operation in the same spelling."""
    return _body(define("f", Template(template).substitute(parameters, v=value))) or ""


@lru_cache(maxsize=64)
def _shapes(value: str) -> frozenset[str]:
    """The bodies of all operations on `value`, whatever their numbers and letters."""
    templates = [_IDENTITY, *(operation.body for operation in OPERATIONS)]
    return frozenset(_shape(_spelt(body, value, n="0", c="a", d="a")) for body in templates)


def _shape(body: str) -> str:
    return re.sub(r"'[a-z]{1,2}'", "'a'", re.sub(r"\b\d+\b", "0", body))
