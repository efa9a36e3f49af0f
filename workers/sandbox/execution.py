"""One request to one fresh node: send the steps, watch the clock and the output, judge the end."""

import os
import signal
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import msgspec
import trio

from workers.sandbox import channel, policy
from workers.sandbox.inside.frames import NONCE_BYTES, Report, pack_request, unpack_report
from workers.sandbox.interpreter import Death, Interpreter

EPILOGUE_SECONDS = 5.0  # for the guard to tell how a process ended
PATIENCE_SECONDS = 1.0  # for a process that has hung up to be gone
GLANCE_SECONDS = 0.02  # the shortest pause between two looks at the CPU clock


class Outcome(msgspec.Struct, frozen=True):
    """How the last step of a program ended; see the wire's `Executed`, field by field."""

    status: policy.Status
    stdout: str = ""
    value: str = ""
    error_type: str = ""
    error_message: str = ""
    step: int = -1
    line: int = 0
    cpu_seconds: float = 0.0
    peak_mib: float = 0.0
    reused_steps: int = 0
    ended: bool = False  # by exit(): nothing can be added to such a program


@dataclass(frozen=True)
class Request:
    """Run `steps`, which are number `first` and following of their program."""

    steps: Sequence[str]
    first: int
    limits: policy.Bounds

    @property
    def last(self) -> int:
        """The number of the last step in its program."""
        return self.first + len(self.steps) - 1

    def encode(self, nonce: bytes) -> bytes:
        """The bytes that the node expects."""
        memory = self.limits.memory_mib << 20
        return pack_request(nonce, self.first, memory, policy.VALUE_CHARACTERS, self.steps)


async def execute(node: Interpreter, pipe: channel.Pipe, request: Request) -> Outcome:
    """Run the request to its end. The node survives an "ok" only; the caller releases it."""
    nonce = os.urandom(NONCE_BYTES)
    ending, frame = await _watch(node, pipe, request, nonce)
    fits = pipe.drain()
    report = unpack_report(nonce, frame) if ending == "frame" and fits else None
    if report and report.ok and not report.ended:
        peak, node.anonymous_mib = node.memory_mib()
        return _judge_report(report, pipe, node.cpu_seconds(), peak)
    death = await _end(node, by_itself=bool(report) or ending == "death")
    if report:
        return _judge_report(report, pipe, death.cpu_seconds, death.peak_mib)
    ending = ending if pipe.drain() else "output"
    status, message = _cause(ending, node, death, request)
    usage = (death.cpu_seconds, death.peak_mib)
    return Outcome(status, pipe.text(), "", "", message, request.last, 0, *usage)


async def _end(node: Interpreter, *, by_itself: bool) -> Death:
    """Learn how it died; it is killed unless it goes `by_itself` at once."""
    if by_itself:
        with trio.move_on_after(PATIENCE_SECONDS):
            await node.ended.wait()
    node.kill()
    with trio.move_on_after(EPILOGUE_SECONDS):
        await node.ended.wait()
    return node.death or Death(0, 0.0, 0.0)


async def _watch(
    node: Interpreter, pipe: channel.Pipe, request: Request, nonce: bytes
) -> tuple[str, bytes]:
    """Wait for whichever comes first: frame, silence, too much output, time over."""
    with trio.move_on_after(request.limits.wall_seconds * len(request.steps)):
        if not await channel.send(node.sock, request.encode(nonce)):
            return "death", b""
        with closing(channel.DeathListener(node.sock, pipe)) as ears:
            return await _listen(node, pipe, ears, request.limits.cpu_seconds * len(request.steps))
    return "wall", b""


async def _listen(
    node: Interpreter, pipe: channel.Pipe, ears: channel.DeathListener, cpu_seconds: float
) -> tuple[str, bytes]:
    """The frame, or whether the node has died, said too much or used up its CPU time."""
    while (left := cpu_seconds - node.cpu_seconds()) > 0:
        with trio.move_on_after(max(left, GLANCE_SECONDS)):
            await ears.hear()
        if (received := channel.receive_now(node.sock)) is not None:
            return "frame" if received[0] else "death", received[0]
        if not pipe.drain():
            return "output", b""
        if pipe.ended:
            ears.ignore(pipe)
    return "cpu", b""


def _judge_report(report: Report, pipe: channel.Pipe, cpu: float, peak: float) -> Outcome:
    if report.ok:
        text, ended = pipe.text(), report.ended
        return Outcome("ok", text, report.text, cpu_seconds=cpu, peak_mib=peak, ended=ended)
    status: policy.Status = "memory" if report.kind == "MemoryError" else "exception"
    what = (report.kind, report.text, report.step, report.line)
    return Outcome(status, pipe.text(), "", *what, cpu, peak)


def _cause(
    ending: str, node: Interpreter, death: Death, request: Request
) -> tuple[policy.Status, str]:
    limits, count = request.limits, len(request.steps)
    if ending == "output":
        return "output", f"more than {limits.output_bytes} bytes of output"
    if ending == "wall":
        return "timeout", f"more than {limits.wall_seconds * count:g} s of wall time"
    if ending == "cpu":
        return "timeout", f"more than {limits.cpu_seconds * count:g} s of CPU time"
    if ending == "frame":
        return "died", "the program wrote to the channel of its own result"
    if node.offence:
        return "died", node.offence
    if node.killed:
        return "died", "closed the channel of its own result"
    if death.signal == signal.SIGKILL:
        return "memory", "killed by the kernel, which was out of memory"
    if death.signal:
        return "died", f"killed by {signal.Signals(death.signal).name}"
    return "died", f"left with exit status {os.waitstatus_to_exitcode(death.status)}, no result"
