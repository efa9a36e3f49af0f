"""Judges programs by tests in a sandbox of this process, without brokers."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from rstar_async.wire.payloads import Execute, Executed, Limits
from workers.executor import Executor
from workers.sandbox import Options, Sandbox, open_sandbox


class SandboxExecutor:
    """A `domains.base.Executor`; programs of one `tree` share snapshots."""

    def __init__(self, sandbox: Sandbox, tree: str = "tree") -> None:
        self._sandbox = sandbox
        self._executor = Executor(sandbox)
        self._tree = tree
        self.jobs = 0
        self.cpu_seconds = 0.0

    async def run(self, program: Sequence[str], limits: Limits = Limits()) -> Executed:  # noqa: B008
        self.jobs += 1
        executed = await self._executor.execute(Execute(self._tree, list(program), limits))
        self.cpu_seconds += executed.cpu_seconds
        return executed

    def close(self) -> None:
        """Drop all snapshots."""
        self._sandbox.end_tree(self._tree)


@asynccontextmanager
async def open_executor(slots: int = 2) -> AsyncIterator[SandboxExecutor]:
    """An executor over a sandbox of its own."""
    async with open_sandbox(Options(slots=slots)) as sandbox:
        yield SandboxExecutor(sandbox)
