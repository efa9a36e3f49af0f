"""The executor worker: `Execute` jobs from the broker to the sandbox and back.

Guarantees: it serves only if all attacks of its self-test are contained; a program's own failure is
a result, never an error of the job. Equal programs of one tree run once (see `dedup`).
"""

import logging
from pathlib import Path

import msgspec
import trio

from rstar_async.errors import BadInput
from rstar_async.wire.payloads import Execute, Executed, program_digest
from workers import worker
from workers.dedup import RequestCoalescer
from workers.metrics import count_executed
from workers.sandbox import Options, Outcome, Sandbox, SandboxError, Unconfinable, open_sandbox
from workers.sandbox.inside.confine import make_non_dumpable
from workers.sandbox.selftest.doctor import self_test

log = logging.getLogger(__name__)

JOBS_PER_SLOT = 2  # the next job waits here, where equal programs are found, and not at the broker
MAX_GROUPS = 4096
OUTCOME_FIELDS = [name for name in Executed.__struct_fields__ if name != "program"]


class Executor:
    """Answers the bodies of `Execute` jobs with one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._coalescer = RequestCoalescer(self._run)
        self._trees_of_group: dict[str, set[str]] = {}
        self.answered = 0

    async def handle(self, job: worker.Job) -> bytes:
        """Answer one job, and remember which trees belong to its group."""
        request = msgspec.msgpack.decode(job.body, type=Execute)
        self._trees_of_group.setdefault(job.group, set()).add(request.tree)
        while len(self._trees_of_group) > MAX_GROUPS:
            self._end(next(iter(self._trees_of_group)))
        try:
            return msgspec.msgpack.encode(await self.execute(request))
        except Unconfinable as error:
            raise worker.EngineDead(str(error)) from error
        except SandboxError as error:
            raise worker.Retryable(str(error)) from error

    @property
    def shared(self) -> int:
        """How many results were shared with an equal program."""
        return self._coalescer.shared

    @property
    def shared_share(self) -> float:
        """The share of all results that were shared with an equal program."""
        return self.shared / max(1, self.answered)

    async def group_ended(self, group: str) -> None:
        """No more jobs of this group will come: drop its snapshots."""
        self._end(group)

    def _end(self, group: str) -> None:
        for tree in self._trees_of_group.pop(group, {group}):
            self._sandbox.end_tree(tree)
            self._coalescer.end_tree(tree)

    async def execute(self, request: Execute) -> Executed:
        """Run it, or share the success of an equal program."""
        if not request.steps:
            raise ValueError("an Execute job has at least one step")
        outcome = await self._coalescer.outcome(request)
        self.answered += 1
        executed = Executed(
            **{name: getattr(outcome, name) for name in OUTCOME_FIELDS},
            program=program_digest(request.steps),
        )
        count_executed(executed)
        return executed

    async def _run(self, request: Execute) -> Outcome:
        return await self._sandbox.run(request.tree, request.steps, request.limits)


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

    Raises `BadInput` on a machine where the sandbox cannot confine programs.
    """
    options = options or Options()
    if slots is not None:
        options = options.with_slots(slots)
    if "no-landlock" in options.allow:
        make_non_dumpable()  # programs could otherwise read this process's memory through /proc
    try:
        async with open_sandbox(options) as sandbox:
            if options.allow:
                log.warning("weaker sandbox, as allowed", extra={"allow": ",".join(options.allow)})
            await _refuse_if_breached(sandbox)
            executor = Executor(sandbox)
            capacity = JOBS_PER_SLOT * options.slots
            log.info("executor ready", extra={"worker": name, "slots": options.slots})
            await worker.serve(
                *(endpoint, name, capacity, executor.handle),
                on_group_end=executor.group_ended,
                keys=keys,
                drain=drain,
            )
            log.info(
                "executor done",
                extra={
                    "answered": executor.answered,
                    "shared": executor.shared,
                    "shared_share": round(executor.shared_share, 3),
                    "reused_steps": sandbox.statistics.reused_steps,
                },
            )
    except Unconfinable as error:
        raise BadInput(f"the executor cannot confine programs here: {error}") from error


async def _refuse_if_breached(sandbox: Sandbox) -> None:
    landlocked = all(confinement.landlock for confinement in sandbox.confinement.values())
    if breaches := await self_test(sandbox, reading=landlocked):
        raise BadInput(f"the sandbox does not hold on this machine: {'; '.join(breaches)}")
