"""Runs tests of a function that is not here: each call of it is answered from a table.

No code of the program runs in this interpreter, and only plain values come from it, so a program
can do nothing about its tests but return the right values. A test that makes calls which are not
in the table yet says which, and is run again when their results are there.
"""

import ast
import builtins
import io
import json
import os
import random
import signal
import sys
from types import CodeType
from typing import Any, TypeAlias

from .values import Expression, dumps, loads

Names: TypeAlias = dict[str, Any]

MESSAGE_CHARACTERS = 300
MOST_CALLS = 2000  # of one test
STDOUT = 1


class ProgramError(Exception):
    """A call of the program gave no value; the message says why."""


class OutOfTime(BaseException):
    """A test has used up its CPU time."""


class _Nowhere(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)


class Unknown:
    """The result of a call that has not been made yet: goes along with whatever a test does, so
    that the calls after it are found as well."""

    def _itself(self, *_args: Any, **_named: Any) -> "Unknown":
        return self

    def _true(self, _other: Any = None) -> bool:
        return True

    def __getattr__(self, name: str) -> "Unknown":
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    __call__ = __getitem__ = __abs__ = __neg__ = __round__ = _itself
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = __pow__ = _itself
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = _itself
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = _true
    __hash__ = None  # type: ignore[assignment]

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __int__(self) -> int:
        return 0

    __index__ = __int__

    def __float__(self) -> float:
        return 0.0

    def __bool__(self) -> bool:
        return True


class Function:
    """Stands for the program's function in one run of one test."""

    def __init__(self, name: str, known: dict[str, str]) -> None:
        self.__name__ = name
        self._known = known
        self.missing: dict[str, None] = {}
        self.calls = 0
        self.said = ""  # what the last call did, for people
        self.error: Exception | None = None  # raised in the place of the last call

    def __call__(self, *args: Any, **named: Any) -> Any:
        call = dumps([self.__name__, list(args), named])
        self.calls += 1
        if self.calls > MOST_CALLS:
            raise OutOfTime
        if call not in self._known:
            self.missing[call] = None
            return Unknown()
        try:
            return self._replay(self._known[call], args, named)
        except Exception as error:
            self.error = error
            raise

    def _replay(self, line: str, args: tuple[Any, ...], named: Names) -> Any:
        kind, content, changed = _outcome(line)
        if kind == "raised":
            name, message = content
            self.said = f"it raised {name}: {message}" if message else f"it raised {name}"
            raise _exception(name, message)
        if kind == "failed":
            self.said = content
            raise ProgramError(content)
        _change(args, named, changed)
        self.said = f"it returned {content!r}"
        return content


def _outcome(line: str) -> tuple[str, Any, Any]:
    """What `calls` wrote: its kind and content, and the arguments afterwards if they changed.

    The program may have written something else in its place: that is no value.
    """
    try:
        outcome = json.loads(line)
        changed = loads(outcome.pop("arguments")) if "arguments" in outcome else None
        match outcome:
            case {"returned": text}:
                return "returned", loads(text), changed
            case {"raised": [str(name), str(message)]}:
                return "raised", (name, message), None
            case {"failed": str(reason)}:
                return "failed", reason, None
    except Exception:
        pass
    return "failed", "it gave no value", None


def _exception(kind: str, message: str) -> Exception:
    known = getattr(builtins, kind, None)
    if isinstance(known, type) and issubclass(known, Exception):
        try:
            return known(message)
        except Exception:
            pass
    return ProgramError(f"{kind}: {message}")


def _change(args: tuple[Any, ...], named: Names, after: Any) -> None:
    """Let mutable arguments become what the call made of them."""
    if after is None:
        return
    new_args, new_named = after
    pairs = [*zip(args, new_args, strict=True), *((named[k], new_named[k]) for k in named)]
    for old, new in pairs:
        if isinstance(old, list | bytearray) and type(old) is type(new):
            old[:] = new
        elif isinstance(old, dict | set) and type(old) is type(new):
            old.clear()
            old.update(new)


class _WithoutAsserts(ast.NodeTransformer):
    """Asserted expressions are evaluated and nothing is demanded of them."""

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        return ast.copy_location(ast.Expr(node.test), node)


class Judge:
    """The tests of one problem and the results that are known so far."""

    def __init__(self, request: dict[str, Any]) -> None:
        self._seconds: float = request["seconds"]
        self._function: str = request["function"]
        self._known: dict[str, str] = request["known"]
        self._before: list[str] = [request["setup"], request["helpers"]]

    def outcome(self, test: str) -> dict[str, Any]:
        """`calls` that are missing, or the `verdict` ("right", "wrong", or "broken" if it is the
        test that cannot be run) and the `reason`."""
        function, error = self._run(test, strict=False)
        if not function.missing:
            function, error = self._run(test, strict=True)
        if function.missing:
            return {"calls": list(function.missing)}
        if function.calls == 0 or (isinstance(error, ImportError) and error is not function.error):
            why = _explained(error) if error else f"it never calls {self._function}"
            return {"verdict": "broken", "reason": why}
        if error is None:
            return {"verdict": "right", "reason": ""}
        return {"verdict": "wrong", "reason": _reason(error, function)}

    def _run(self, test: str, *, strict: bool) -> tuple[Function, BaseException | None]:
        """What was called, and the exception that ended the test."""
        function = Function(self._function, self._known)
        random.seed(0)  # the same calls in every run
        try:
            try:
                signal.setitimer(signal.ITIMER_PROF, self._seconds)
                self._execute(test, function, strict)
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
        except BaseException as error:
            return function, error
        return function, None

    def _execute(self, test: str, function: Function, strict: bool) -> None:
        names: Names = {"__name__": "tests"}
        for source in (*self._before, test):
            tree = ast.parse(source)
            _add_unknown_names(tree, {*names, self._function}, names)
            names[self._function] = function
            exec(_compiled(tree, strict), names)


def _add_unknown_names(tree: ast.AST, known: set[str], names: Names) -> None:
    """Names that tests use and do not define are modules, or belong to the program."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    loaded = {node.id for node in found if isinstance(node.ctx, ast.Load)}
    bound = {node.id for node in found if not isinstance(node.ctx, ast.Load)} | _defined(tree)
    for name in loaded - bound - known - {*vars(builtins)}:
        is_module = name in sys.stdlib_module_names
        names[name] = __import__(name) if is_module else Expression(name)


def _defined(tree: ast.AST) -> set[str]:
    """Names that imports, definitions, parameters and handlers bind."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.alias():
                found.add(node.asname or node.name.partition(".")[0])
            case ast.FunctionDef() | ast.ClassDef() | ast.ExceptHandler():
                found.add(node.name or "")
            case ast.arg():
                found.add(node.arg)
    return found


def _compiled(tree: ast.Module, strict: bool) -> CodeType:
    kept = tree if strict else ast.fix_missing_locations(_WithoutAsserts().visit(tree))
    return compile(kept, "<test>", "exec")


def _reason(error: BaseException, function: Function) -> str:
    if isinstance(error, OutOfTime):
        return "the test did not end in time"
    if isinstance(error, AssertionError) or error is function.error:
        return function.said[:MESSAGE_CHARACTERS]
    return f"{_explained(error)} ({function.said})"[:MESSAGE_CHARACTERS]


def _explained(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:MESSAGE_CHARACTERS]


def _raise_out_of_time(*_signal: Any) -> None:
    raise OutOfTime


def main(request: str) -> None:
    """One line of output for each of the request's `tests`, as JSON."""
    wanted = json.loads(request)
    sys.stdout = sys.stderr = _Nowhere()
    signal.signal(signal.SIGPROF, _raise_out_of_time)
    judge = Judge(wanted)
    for test in wanted["tests"]:
        os.write(STDOUT, json.dumps(judge.outcome(test)).encode() + b"\n")
