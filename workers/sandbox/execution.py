"""One request to one fresh node: send the steps, enforce the limits, read the result."""

import os
import signal
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import msgspec
import trio

from workers.sandbox import channel, policy
from workers.sandbox.errors import KilledByKernel
from workers.sandbox.inside.frames import NONCE_BYTES, Report, pack_request
from workers.sandbox.interpreter import Interpreter, ProcessExit
from workers.sandbox.reports import read_report

REAP_SECONDS = 5.0  # for the guard to report how a process ended
EXIT_SECONDS = 0.5  # for a process that has closed its socket to exit
CPU_POLL_SECONDS = 0.02  # the shortest pause between two readings of the CPU clock


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

    @property
    def wall_seconds(self) -> float:
        """Of all its steps together."""
        return self.limits.wall_seconds * len(self.steps)

    @property
    def cpu_seconds(self) -> float:
        """Of all its steps together."""
        return self.limits.cpu_seconds * len(self.steps)

    def encode(self, nonce: bytes) -> bytes:
        """The bytes that the node expects."""
        memory = self.limits.memory_mib << 20
        return pack_request(nonce, self.first, memory, policy.VALUE_CHARACTERS, self.steps)


async def execute(node: Interpreter, output: channel.Output, request: Request) -> Outcome:
    """Run the request to its end. The node stays alive only after "ok"; the caller releases it.

    Raises KilledByKernel if something other than the worker killed it.
    """
    nonce = os.urandom(NONCE_BYTES)
    end, frame = await _wait_for_end(node, output, request, nonce)
    fits = output.drain()
    readable = end == "frame" and fits
    report = read_report(nonce, frame, request.steps, request.first) if readable else None
    if report and report.ok and not report.ended:
        node.stop_listening()
        peak, node.own_mib = node.memory_mib()
        return _outcome_of(report, output, node.cpu_seconds(), peak)
    exit_info = await _wait_for_exit(node, by_itself=bool(report) or end == "exit")
    if report:
        return _outcome_of(report, output, exit_info.cpu_seconds, exit_info.peak_mib)
    if end == "exit" and exit_info.signal == signal.SIGKILL and not node.killed:
        raise KilledByKernel("the kernel, short of memory, killed a program")
    end = end if output.drain() else "output"
    status, message = _status_without_report(end, node, exit_info, request)
    usage = (exit_info.cpu_seconds, exit_info.peak_mib)
    return Outcome(status, output.text(), "", "", message, request.last, 0, *usage)


async def _wait_for_exit(node: Interpreter, *, by_itself: bool) -> ProcessExit:
    """How it ended; it is killed unless it exits `by_itself` at once."""
    if by_itself:
        with trio.move_on_after(EXIT_SECONDS):
            await node.exited.wait()
    if not node.is_dead():
        node.kill()
    with trio.move_on_after(REAP_SECONDS):
        await node.exited.wait()
    return node.exit_info or ProcessExit(0, 0.0, 0.0)


async def _wait_for_end(
    node: Interpreter, output: channel.Output, request: Request, nonce: bytes
) -> tuple[str, bytes]:
    """What came first: a frame, the end of the process, too much output, or a time limit."""
    with trio.move_on_at(node.started + request.wall_seconds):
        if not await channel.send(node.sock, request.encode(nonce)):
            return "exit", b""
        with closing(channel.ReadinessPoll(node.sock, output)) as readiness:
            return await _wait_for_frame(node, output, readiness, request.cpu_seconds)
    return "wall", b""


async def _wait_for_frame(
    node: Interpreter, output: channel.Output, readiness: channel.ReadinessPoll, cpu_seconds: float
) -> tuple[str, bytes]:
    """The frame; or that the node has exited, printed too much or used up its CPU time."""
    while (left := cpu_seconds - node.cpu_seconds()) > 0:
        with trio.move_on_after(max(left, CPU_POLL_SECONDS)):
            await readiness.wait()
        if (received := channel.receive_now(node.sock)) is not None:
            return "frame" if received[0] else "exit", received[0]
        if not output.drain():
            return "output", b""
        if output.at_end:
            readiness.remove(output)
    return "cpu", b""


def _outcome_of(report: Report, output: channel.Output, cpu: float, peak: float) -> Outcome:
    if report.ok:
        text, ended = output.text(), report.ended
        return Outcome("ok", text, report.text, cpu_seconds=cpu, peak_mib=peak, ended=ended)
    status: policy.Status = "memory" if report.kind == "MemoryError" else "exception"
    what = (report.kind, report.text, report.step, report.line)
    return Outcome(status, output.text(), "", *what, cpu, peak)


def _status_without_report(
    end: str, node: Interpreter, exit_info: ProcessExit, request: Request
) -> tuple[policy.Status, str]:
    if end == "output":
        return "output", f"more than {request.limits.output_bytes} bytes of output"
    if end == "wall":
        return "timeout", f"more than {request.wall_seconds:g} s of wall time"
    if end == "cpu":
        return "timeout", f"more than {request.cpu_seconds:g} s of CPU time"
    if end == "frame":
        return "died", "the program wrote to the channel of its own result"
    if node.kill_reason:
        return "died", node.kill_reason
    if node.killed:
        return "died", "closed the channel of its own result"
    if exit_info.signal:
        return "died", f"killed by {signal.Signals(exit_info.signal).name}"
    return "died", f"left with exit status {os.waitstatus_to_exitcode(exit_info.status)}, no result"
