"""Runs programs once that are the same but for how their last step is written.

Same means: equal syntax trees, so other quotes, brackets, comments and spacing do not count. A
success is shared with every later twin of the tree, as long as it is remembered; a failure each has
for itself, because its line numbers differ. What is shared has run no step and used no CPU time.
"""

import ast
import warnings
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field

import trio
from msgspec.structs import replace

from rstar_async.wire.payloads import Execute
from workers.sandbox import Outcome

REMEMBERED = 512  # successes
# Characters. The parser is C, recursive, and its input hostile: a longer text equals only itself.
LONGEST = 4000
IGNORED = ("ctx", "kind", "type_comment", "type_ignores")

Run = Callable[[Execute], Awaitable[Outcome]]


@dataclass
class PendingRequest:
    """A program under way, and what came of it."""

    landed: trio.Event = field(default_factory=trio.Event)
    outcome: Outcome | None = None


class RequestCoalescer:
    """Asks `run` for what has not been run; counts in `shared` how often it had."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._flights: dict[Hashable, PendingRequest] = {}
        self._successes: OrderedDict[Hashable, Outcome] = OrderedDict()
        self.shared = 0

    async def outcome(self, request: Execute) -> Outcome:
        """Run it, or share the success of its twin. Cancel-safe: another twin runs then."""
        key = normal_form(request)
        while flight := self._flights.get(key):
            await flight.landed.wait()
            if flight.outcome is not None and flight.outcome.status != "ok":
                return await self._run(request)
        if success := self._successes.get(key):
            self.shared += 1
            return replace(success, cpu_seconds=0.0, reused_steps=len(request.steps))
        return await self._fly(key, request)

    async def _fly(self, key: Hashable, request: Execute) -> Outcome:
        self._flights[key] = flight = PendingRequest()
        try:
            flight.outcome = outcome = await self._run(request)
            if outcome.status == "ok":
                self._remember(key, outcome)
        finally:
            del self._flights[key]
            flight.landed.set()
        return outcome

    def _remember(self, key: Hashable, outcome: Outcome) -> None:
        self._successes[key] = outcome
        if len(self._successes) > REMEMBERED:
            self._successes.popitem(last=False)

    def end_tree(self, tree: str) -> None:
        """Forget its successes."""
        for key in [key for key in self._successes if key[0] == tree]:  # type: ignore[index]
            del self._successes[key]


def normal_form(request: Execute) -> Hashable:
    """Equal for requests of one tree whose last steps are the same program."""
    *before, last = request.steps
    return request.tree, tuple(before), _shape(last), request.limits


def _shape(source: str) -> Hashable:
    if len(source) > LONGEST:
        return source
    try:
        with warnings.catch_warnings(action="ignore"):
            return _flat(ast.parse(source))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return source


def _flat(tree: ast.AST) -> Hashable:
    """The tree as one tuple, without recursion and without places in the source."""
    shape: list[object] = []
    waiting: list[object] = [tree]
    while waiting:
        match waiting.pop():
            case ast.AST() as node:
                names = [name for name in node._fields if name not in IGNORED]
                shape.append(type(node))
                waiting += [getattr(node, name, None) for name in names]
            case list() as nodes:
                shape.append(len(nodes))
                waiting += nodes
            case leaf:
                shape += (type(leaf), leaf)  # 1, 1.0 and True are equal
    return tuple(shape)
