"""Runs programs once that are the same but for how their last step is written.

Same means equal syntax trees: quotes, brackets, comments and spacing do not count. A success is
shared with every later equal program of the same search tree, as long as it is remembered. Failures
are not shared, because their line numbers differ. A shared outcome has run no step and used no CPU
time.
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

MAX_SUCCESSES = 512  # successes
# The parser is recursive C code and its input is hostile: a longer text equals only itself.
MAX_CHARACTERS = 4000
IGNORED_FIELDS = ("ctx", "kind", "type_comment", "type_ignores")

Run = Callable[[Execute], Awaitable[Outcome]]


@dataclass
class PendingRequest:
    """A program that is running, and its outcome afterwards."""

    done: trio.Event = field(default_factory=trio.Event)
    outcome: Outcome | None = None


class RequestCoalescer:
    """Calls `run` for programs that have not run; `shared` counts the requests that had."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._pending: dict[Hashable, PendingRequest] = {}
        self._successes: OrderedDict[Hashable, Outcome] = OrderedDict()
        self.shared = 0

    async def outcome(self, request: Execute) -> Outcome:
        """Run it, or share the success of an equal program.

        Cancelling one request does not cancel the others: one of them runs the program then.
        """
        key = normal_form(request)
        while pending := self._pending.get(key):
            await pending.done.wait()
            if pending.outcome is not None and pending.outcome.status != "ok":
                return await self._run(request)
        if success := self._successes.get(key):
            self.shared += 1
            return replace(success, cpu_seconds=0.0, reused_steps=len(request.steps))
        return await self._run_once(key, request)

    async def _run_once(self, key: Hashable, request: Execute) -> Outcome:
        self._pending[key] = pending = PendingRequest()
        try:
            pending.outcome = outcome = await self._run(request)
            if outcome.status == "ok":
                self._remember(key, outcome)
        finally:
            del self._pending[key]
            pending.done.set()
        return outcome

    def _remember(self, key: Hashable, outcome: Outcome) -> None:
        self._successes[key] = outcome
        if len(self._successes) > MAX_SUCCESSES:
            self._successes.popitem(last=False)

    def end_tree(self, tree: str) -> None:
        """Forget the successes of `tree`."""
        for key in [key for key in self._successes if key[0] == tree]:  # type: ignore[index]
            del self._successes[key]


def normal_form(request: Execute) -> Hashable:
    """Equal for requests of one tree whose last steps are the same program."""
    *before, last = request.steps
    return request.tree, tuple(before), _comparable(last), request.limits


def _comparable(source: str) -> Hashable:
    if len(source) > MAX_CHARACTERS:
        return source
    try:
        with warnings.catch_warnings(action="ignore"):
            return _flattened(ast.parse(source))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return source


def _flattened(tree: ast.AST) -> Hashable:
    """The syntax tree as one tuple, made without recursion and without source positions."""
    flat: list[object] = []
    waiting: list[object] = [tree]
    while waiting:
        match waiting.pop():
            case ast.AST() as node:
                names = [name for name in node._fields if name not in IGNORED_FIELDS]
                flat.append(type(node))
                waiting += [getattr(node, name, None) for name in names]
            case list() as nodes:
                flat.append(len(nodes))
                waiting += nodes
            case leaf:
                flat += (type(leaf), leaf)  # 1, 1.0 and True are equal
    return tuple(flat)
