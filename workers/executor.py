"""The executor worker: `Execute` jobs from the broker to the sandbox and back.

Guarantees: it serves only where its self-test's attacks are all contained; a program's own failure
is an answer, never an error of the job. Siblings that are the same program but for comments and
spacing, in flight at the same time, run once: a success is shared, a failure each has for itself,
because its line numbers differ.
"""

import io
import logging
import tokenize
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import trio

from rstar_async.errors import BadInput
from rstar_async.wire.payloads import Execute, Executed
from workers import station
from workers.sandbox import Options, Outcome, Sandbox, SandboxError, Unconfinable, open_sandbox
from workers.sandbox.doctor import self_test
from workers.sandbox.inside.confine import hide

log = logging.getLogger(__name__)

JOBS_PER_SLOT = 2  # the next job waits here, where its twins can find it, and not at the broker
LONGEST_COMPARED = 20_000  # characters of a step
TREES_REMEMBERED = 4096
SPACING = {tokenize.COMMENT, tokenize.NL}
SHAPE = {tokenize.INDENT, tokenize.DEDENT, tokenize.NEWLINE}


@dataclass
class Flight:
    """A program under way, and what came of it."""

    landed: trio.Event = field(default_factory=trio.Event)
    outcome: Outcome | None = None


class Executor:
    """Answers the bodies of `Execute` jobs with one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._flights: dict[Hashable, Flight] = {}
        self._trees: dict[str, set[str]] = {}
        self.answered = 0
        self.shared = 0

    async def handle(self, job: station.Job) -> bytes:
        """For the station: remembers which trees belong to the job's group."""
        request = msgspec.msgpack.decode(job.body, type=Execute)
        self._trees.setdefault(job.group, set()).add(request.tree)
        while len(self._trees) > TREES_REMEMBERED:
            self._end(next(iter(self._trees)))
        try:
            return msgspec.msgpack.encode(await self.execute(request))
        except Unconfinable as error:
            raise station.EngineDead(str(error)) from error
        except SandboxError as error:
            raise station.Retryable(str(error)) from error

    @property
    def shared_share(self) -> float:
        """Of all answers, how many were a twin's."""
        return self.shared / max(1, self.answered)

    async def group_ended(self, group: str) -> None:
        """No more jobs of this group will come: its snapshots can go."""
        self._end(group)

    def _end(self, group: str) -> None:
        for tree in self._trees.pop(group, {group}):
            self._sandbox.end_tree(tree)

    async def execute(self, request: Execute) -> Executed:
        """Run it, or share the success of its twin."""
        if not request.steps:
            raise ValueError("an Execute job has at least one step")
        outcome = await self._shared(request)
        self.answered += 1
        names = Executed.__struct_fields__
        return Executed(**{name: getattr(outcome, name) for name in names})

    async def _shared(self, request: Execute) -> Outcome:
        key = normal_form(request)
        while flight := self._flights.get(key):
            await flight.landed.wait()
            if flight.outcome is not None and flight.outcome.status == "ok":
                self.shared += 1
                return flight.outcome
            if flight.outcome is not None:
                return await self._run(request)
        self._flights[key] = flight = Flight()
        try:
            flight.outcome = await self._run(request)
        finally:
            del self._flights[key]
            flight.landed.set()
        return flight.outcome

    async def _run(self, request: Execute) -> Outcome:
        return await self._sandbox.run(request.tree, request.steps, request.limits)


def normal_form(request: Execute) -> Hashable:
    """Equal for requests that differ in comments and spacing of their last step only.

    By tokens, not by the syntax tree: the parser can be made to overflow this process's stack, and
    the source is hostile.
    """
    *before, last = request.steps
    return request.tree, tuple(before), _tokens(last), request.limits


def _tokens(source: str) -> Hashable:
    if len(source) > LONGEST_COMPARED:
        return source
    try:
        return tuple(
            (token.type, "" if token.type in SHAPE else token.string)
            for token in tokenize.generate_tokens(io.StringIO(source).readline)
            if token.type not in SPACING
        )
    except (tokenize.TokenError, SyntaxError, ValueError):
        return source


async def serve_executor(
    endpoint: str,
    name: str,
    slots: int | None = None,
    *,
    options: Options | None = None,
    keys: Path | None = None,
    drain: trio.Event | None = None,
) -> None:
    """Serve until told to drain; `slots` programs at a time, by default one for each CPU.

    Raises BadInput, with one line, where the sandbox would not hold.
    """
    options = options or Options()
    if slots is not None:
        options = options.with_slots(slots)
    if "no-landlock" in options.allow:
        hide()  # programs could otherwise read our memory through /proc
    try:
        async with open_sandbox(options) as sandbox:
            await _refuse_if_breached(sandbox)
            executor = Executor(sandbox)
            capacity = JOBS_PER_SLOT * options.slots
            log.info("executor ready: worker=%s slots=%d", name, options.slots)
            await station.serve(
                *(endpoint, name, capacity, executor.handle),
                on_group_end=executor.group_ended,
                keys=keys,
                drain=drain,
            )
            log.info(
                "executor done: answered=%d shared=%d shared_share=%.3f reused_steps=%d",
                *(executor.answered, executor.shared, executor.shared_share),
                sandbox.statistics.reused_steps,
            )
    except Unconfinable as error:
        raise BadInput(f"the executor cannot confine programs here: {error}") from error


async def _refuse_if_breached(sandbox: Sandbox) -> None:
    landlocked = all(locks.landlock for locks in sandbox.locks.values())
    if breaches := await self_test(sandbox, reading=landlocked):
        raise BadInput(f"the sandbox does not hold on this machine: {'; '.join(breaches)}")
