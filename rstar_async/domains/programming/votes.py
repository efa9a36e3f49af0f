"""Which programs are one vote: those that behave alike on inputs that nothing hidden went into.

A program that fails an example of the description, while others pass, votes for itself alone; so
does one that gives no value for any input.
"""

import ast
import json
from collections.abc import Iterable, Sequence

from rstar_async.domains.base import Executor
from rstar_async.domains.programming.inputs import call_of, common, varied
from rstar_async.domains.programming.problem import ProblemTests
from rstar_async.domains.programming.verification import Caller, TestResult, judge, run_tests
from rstar_async.seeding import seed_of


async def votes(
    tests: ProblemTests, programs: Iterable[str], seed: int, executor: Executor
) -> dict[str, str]:
    """Each program with the first one that behaves like it."""
    passing = await _passing(tests, list(dict.fromkeys(programs)), executor)
    firsts: dict[tuple[str, ...], str] = {}
    groups: dict[str, str] = {}
    inputs = _Inputs(tests, await _shown_calls(tests, executor), seed)
    for program, passes in passing.items():
        seen = await behaviour(tests, program, inputs, executor) if passes else ()
        groups[program] = firsts.setdefault(seen, program) if any(map(_is_value, seen)) else program
    return groups


class _Inputs:
    """The lists of arguments for a function, the same for functions that take equally many."""

    def __init__(self, tests: ProblemTests, shown: Sequence[str], seed: int) -> None:
        self._varied = varied(shown, seed_of(seed, tests.entry_point))
        self._seed = seed

    def of(self, count: int) -> Sequence[list[object]]:
        return self._varied or common(count, self._seed)


async def behaviour(
    tests: ProblemTests, program: str, inputs: _Inputs, executor: Executor
) -> tuple[str, ...]:
    """What the program's function does for each input."""
    function = _function(program, tests.entry_point)
    if function is None:
        return ()
    count = len(function.args.args) - len(function.args.defaults)
    calls = [call_of(function.name, arguments) for arguments in inputs.of(count)]
    caller = Caller(tests, [program], executor)
    await caller.call(calls)
    return tuple(_behaviour(caller.known[call]) for call in calls)


def _behaviour(line: str) -> str:
    """A result without what means nothing, such as the words of an error message."""
    try:
        outcome = json.loads(line)
        kinds = outcome["raised"][:1] if "raised" in outcome else outcome.get("returned", "failed")
        return json.dumps([kinds, outcome.get("arguments")])
    except Exception:
        return json.dumps(["failed", None])


def _is_value(behaviour: str) -> bool:
    [result, _] = json.loads(behaviour)
    return isinstance(result, str) and result != "failed"


def _function(program: str, name: str) -> ast.FunctionDef | None:
    """The function of this name; without a name, the last one that the program defines."""
    functions = [node for node in ast.parse(program).body if isinstance(node, ast.FunctionDef)]
    named = [node for node in functions if not name or node.name == name]
    return named[-1] if named else None


async def _passing(
    tests: ProblemTests, programs: Sequence[str], executor: Executor
) -> dict[str, bool]:
    """Whether each program passes the examples of the description; all do if none does."""
    passed: dict[str, bool] = {}
    for program in programs:
        results = await run_tests(tests, tests.public, [program], executor) if tests.public else []
        passed[program] = not any(result.verdict == "wrong" for result in results)
    return passed if any(passed.values()) else dict.fromkeys(programs, True)


async def _shown_calls(tests: ProblemTests, executor: Executor) -> list[str]:
    """The calls in the examples of the description."""
    if not tests.public:
        return []
    said = await judge(tests, tests.public, {}, executor)
    return [call for one in said if not isinstance(one, TestResult) for call in one]
