"""The stored form of a programming problem.

`question` is the description that the model reads. `answer` is a JSON object, `ProblemTests`:

    {"entry_point": "add",
     "tests": ["assert add(1, 2) == 3", "assert add(0, 0) == 0"],
     "public": ["assert add(2, 2) == 4"],
     "setup": "from math import pi", "helpers": "", "fixtures": "", "solution": ""}

Only `entry_point` and `tests` must be there. Each test is Python source of its own that fails by an
exception, and calls the function by the name in `entry_point`.
"""

import ast
import keyword

import msgspec

from rstar_async.errors import BadInput
from rstar_async.sanitize import shown

MOST_TESTS = 1000


class ProblemTests(msgspec.Struct, frozen=True, omit_defaults=True):
    """How programs of one problem are judged.

    tests: hidden; they alone decide, and neither a model nor a search at test time sees them.
    public: tests that the description shows; they filter programs before they vote.
    setup: source that runs in front of the program and of its tests: imports and helpers that the
        description gives.
    helpers: source in front of the tests alone; the program has no access to it.
    fixtures: source that runs after the program, in its interpreter: objects of its classes.
    solution: a program that is known to be right, to find broken tests by; "" if there is none.
    """

    entry_point: str
    tests: tuple[str, ...]
    public: tuple[str, ...] = ()
    setup: str = ""
    helpers: str = ""
    fixtures: str = ""
    solution: str = ""

    def stored(self) -> str:
        """The text of `Problem.answer`."""
        return msgspec.json.encode(self).decode()


def read_tests(answer: str, where: str = "problem") -> ProblemTests:
    """The tests in a stored answer; `BadInput` starts with `where`."""
    try:
        tests = msgspec.json.decode(answer, type=ProblemTests)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise BadInput(
            f"{where}: its answer is no JSON object with entry_point and tests: {error}"
        ) from None
    return checked(tests, where)


def checked(tests: ProblemTests, where: str) -> ProblemTests:
    """`tests`, if programs can be judged by them."""
    name = tests.entry_point
    if not name.isidentifier() or keyword.iskeyword(name):
        raise BadInput(f"{where}: the entry point {shown(name)} is no name of a function")
    if not tests.tests:
        raise BadInput(f"{where}: it has no tests; a program can be judged by nothing else")
    if len(tests.tests) > MOST_TESTS:
        raise BadInput(f"{where}: it has {len(tests.tests):,} tests, more than {MOST_TESTS:,}")
    for number, test in enumerate(tests.tests, 1):
        _check_test(test, name, f"{where}: test {number}")
    for number, test in enumerate(tests.public, 1):
        _check_test(test, name, f"{where}: public test {number}")
    for part in ("setup", "helpers", "fixtures", "solution"):
        parsed(getattr(tests, part), f"{where}: its {part}")
    return tests


def _check_test(source: str, name: str, where: str) -> None:
    tree = parsed(source, where)
    if not any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(tree)):
        raise BadInput(f"{where} never calls {name}: {shown(source)}")


def parsed(source: str, where: str) -> ast.Module:
    """The syntax tree of a source; `BadInput` starts with `where`."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        why = error.msg if isinstance(error, SyntaxError) else str(error)
        raise BadInput(f"{where} is no Python: {why}: {shown(source)}") from None
