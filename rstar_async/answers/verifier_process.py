"""The parent's end of one verifier child: start, ask, kill. One question at a time.

The child is forked from the thread that runs trio, never from a worker thread: its parent-death
signal follows the thread that made it, and worker threads end when idle.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import cast, get_args

import trio

from rstar_async.answers.equivalence import Question
from rstar_async.answers.rules import Verdict
from rstar_async.errors import RstarError

START_SECONDS = 120.0
_ROOT = Path(__file__).resolve().parents[2]


class VerifierDied(RstarError):
    """The child ended by itself before it answered."""


class VerifierProcess:
    """A running child. After `VerifierDied`, a timeout or a cancel it must be closed."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdin is not None
        assert child.stdout is not None
        self._child = child
        self._stdin = trio.lowlevel.FdStream(os.dup(child.stdin.fileno()))
        self._stdout = trio.lowlevel.FdStream(os.dup(child.stdout.fileno()))
        child.stdin.close()
        child.stdout.close()
        self._unread = b""

    @classmethod
    async def start(cls) -> "VerifierProcess":
        """A child that has said it is ready; the import takes seconds."""
        child = cls(_spawn())
        try:
            with trio.fail_after(START_SECONDS):
                await child._read_line()
        except BaseException:
            await child.close()
            raise
        return child

    @property
    def pid(self) -> int:
        return self._child.pid

    async def ask(self, question: Question, permissive: bool) -> Verdict:
        """The child's verdict; without a limit of its own."""
        line = {
            "gold": question.gold,
            "predicted": question.predicted,
            "permissive": permissive,
        }
        try:
            await self._stdin.send_all(json.dumps(line).encode() + b"\n")
        except trio.BrokenResourceError as error:
            raise VerifierDied(self._epitaph()) from error
        verdict = json.loads(await self._read_line())["verdict"]
        assert verdict in get_args(Verdict)
        return cast("Verdict", verdict)

    async def close(self) -> None:
        """Kill the child and collect it; shielded, so it happens even when cancelled."""
        self._child.send_signal(signal.SIGKILL)
        with trio.CancelScope(shield=True):
            await self._stdin.aclose()
            await self._stdout.aclose()
            await trio.to_thread.run_sync(self._child.wait)

    async def _read_line(self) -> bytes:
        while b"\n" not in self._unread:
            received = await self._stdout.receive_some()
            if not received:
                raise VerifierDied(self._epitaph())
            self._unread += received
        line, self._unread = self._unread.split(b"\n", 1)
        return line

    def _epitaph(self) -> str:
        hint = f"if this repeats, see whether `{sys.executable} -c 'import math_verify'` works"
        return f"verifier process {self.pid} ended by itself; {hint}"


def _spawn() -> subprocess.Popen[bytes]:
    paths = [str(_ROOT), os.environ.get("PYTHONPATH", "")]
    return subprocess.Popen(
        [sys.executable, "-m", "rstar_async.answers.verifier", str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
    )
