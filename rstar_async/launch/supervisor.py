"""Keeps a set of processes running until the run is over, then stops them in order.

Guarantees. When `run_processes` returns or raises, no process it started is left, nor any that
those started. Restarts are limited. The first SIGINT, SIGTERM or SIGHUP drains: group after group
is asked to stop and given its time. The second kills. Exit codes: 0 the run is complete; 1 a
process kept dying or gave up; 2 a process refused its input, or the run's folder was taken away;
128 + N ended by signal N.

A process that ends with exit code 2 has printed on standard error what is wrong with the input;
starting it again would not help, so its last line is passed on and everything stops. So it is with
exit code 75, of a process that has tried its work often enough; the run then ends with code 1.
"""

import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from pathlib import Path

import trio

from rstar_async.launch import linux
from rstar_async.launch.backoff import Backoff, RestartHistory
from rstar_async.launch.child import Child, describe_end
from rstar_async.launch.home import HomeFolder
from rstar_async.launch.log_file import LogFile
from rstar_async.launch.processes import ProcessSpec
from rstar_async.telemetry.folding import say

BAD_INPUT = 2
GAVE_UP = os.EX_TEMPFAIL
CLEAN_SECONDS = 2.0
KILLED_SECONDS = 5.0
LINES_SHOWN = 8
# Our own lines in a log, and those that srun adds to its tasks' words.
NOT_OF_THE_PROCESS = ("--- ", "srun: ", "slurmstepd")
DEFAULT_BACKOFF = Backoff()


def print_status(line: str) -> None:
    """Print a line for the user, if the terminal is still there."""
    with contextlib.suppress(OSError):
        say(line)


async def run_processes(
    specs: Sequence[ProcessSpec],
    logs: Path,
    *,
    report: Callable[[str], None] = print_status,
    backoff: Backoff = DEFAULT_BACKOFF,
) -> int:
    """Run all of `specs`, each logging to `logs/NAME.log`, to the end; return the exit code.

    The parent of `logs` is the run's home; the run ends if it disappears.

    Must run in the main thread, which receives the signals and whose death the processes share.
    """
    return await Supervisor(specs, logs, report, backoff).run()


class Supervisor:
    """The actor that owns the processes of one machine."""

    def __init__(
        self,
        specs: Sequence[ProcessSpec],
        logs: Path,
        report: Callable[[str], None],
        backoff: Backoff,
        journal: str = "supervisor",
    ) -> None:
        self._specs = specs
        self._logs = logs
        self._home = HomeFolder(logs.parent)
        self._journal = LogFile(logs, journal)
        self._report_to = report
        self._backoff = backoff
        self._children: dict[str, Child] = {}
        self._over = trio.Event()
        self._exit_code = 0
        self._drain_scope = trio.CancelScope()
        self._other_children = {child.pid for child in linux.children(os.getpid())}

    async def run(self) -> int:
        """Start everything, wait for the end, stop everything."""
        linux.adopt_orphans(True)
        try:
            with self._home, trio.open_signal_receiver(*_signals()) as received:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._listen, received)
                    nursery.start_soon(self._keep_clean)
                    for spec in self._specs:
                        nursery.start_soon(self._keep_running, spec)
                    await self._over.wait()
                    await self._drain()
                    nursery.cancel_scope.cancel()
        finally:
            self._kill_all()
            linux.adopt_orphans(False)
        return self._exit_code

    def stop(self) -> None:
        """End the run: `run` stops everything and returns 0."""
        self._end(0, "")

    async def _listen(self, received: AsyncIterator[int]) -> None:
        async for number in received:
            if self._over.is_set():
                self._report("stopping at once")
                self._drain_scope.cancel()
            else:
                name = signal.Signals(number).name
                self._end(128 + number, f"{name}: stopping; once more to stop at once")

    async def _keep_running(self, spec: ProcessSpec) -> None:
        log = LogFile(self._logs, spec.name)
        history = RestartHistory(self._backoff)
        while not self._over.is_set():
            started = trio.current_time()
            code = await self._run_once(spec, log)
            self._end_without_home()
            if self._over.is_set() or self._is_final(spec, code, log):
                return
            wait = history.died(trio.current_time() - started)
            if wait is None:
                self._end(1, _giving_up(spec, code, log, history))
                return
            end = describe_end(code)
            self._report(f"{spec.name} ended ({end}), starting it again in {wait:g} s")
            await trio.sleep(wait)

    async def _run_once(self, spec: ProcessSpec, log: LogFile) -> int:
        """Start a process, wait for its end, return its exit code."""
        log.note(f"--- {_now()} start {' '.join(spec.argv)}")
        try:
            child = Child.start(spec, log)
        except OSError as error:
            log.note(f"cannot start {spec.argv[0]}: {error}")
            return 127
        self._children[spec.name] = child
        self._journal.note(f"{_now()} {spec.name} started pid={child.pid}")
        code = await child.wait()
        self._journal.note(f"{_now()} {spec.name} ended code={code}")
        log.note(f"--- {_now()} end ({describe_end(code)})")
        return code

    def _is_final(self, spec: ProcessSpec, code: int, log: LogFile) -> bool:
        """True if the process must not be started again; it may have ended the run."""
        if code in (BAD_INPUT, GAVE_UP):
            lines = log.last_lines(LINES_SHOWN)
            printed = [line for line in lines if not line.startswith(NOT_OF_THE_PROCESS)]
            reason = printed[-1] if printed else f"{spec.name} refused to go on; see {log.path}"
            self._end(BAD_INPUT if code == BAD_INPUT else 1, reason.removeprefix("rstar: "))
        elif code == 0 and spec.ends_run:
            self._end(0, "")
        else:
            return False
        return True

    def _end(self, exit_code: int, line: str) -> None:
        """Begin the end of the run; the first reason counts."""
        if not self._over.is_set():
            self._exit_code = exit_code
            self._over.set()
            self._journal.note(f"{_now()} ending code={exit_code}")
            if line:
                self._report(line)

    def _end_without_home(self) -> None:
        if not self._home.exists():
            lost = f"{self._home.path} was deleted or moved while a run was going on there"
            self._end(BAD_INPUT, f"{lost}: stopping; the same command again begins a new run")

    async def _drain(self) -> None:
        """Group after group: ask, wait, kill. A second signal cuts the waiting short."""
        with self._drain_scope:
            for order in sorted({spec.stop_order for spec in self._specs}):
                async with trio.open_nursery() as group:
                    for child in self._children.values():
                        if child.spec.stop_order == order:
                            group.start_soon(child.stop)
        for child in self._children.values():
            child.kill()
        with trio.move_on_after(KILLED_SECONDS):
            for child in self._children.values():
                await child.gone.wait()

    async def _keep_clean(self) -> None:
        logs = [LogFile(self._logs, spec.name) for spec in self._specs]
        while True:
            await trio.sleep(CLEAN_SECONDS)
            self._end_without_home()
            self._kill_strays()
            for log in (*logs, self._journal):
                await trio.to_thread.run_sync(log.trim)

    def _kill_strays(self) -> int:
        """Kill what a dead process had started outside its own group; return how many.

        Orphans become our children. Unlike our other children they have left our session.
        """
        known = self._other_children | {child.pid for child in self._children.values()}
        own_session = os.getsid(0)
        children = linux.children(os.getpid())
        strays = [c for c in children if c.pid not in known and c.session != own_session]
        for stray in strays:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(stray.pid, signal.SIGKILL)
                os.waitpid(stray.pid, os.WNOHANG)
        return len(strays)

    def _kill_all(self) -> None:
        for child in self._children.values():
            child.kill()
        for child in self._children.values():
            child.reap()
        deadline = time.monotonic() + KILLED_SECONDS
        while self._kill_strays() and time.monotonic() < deadline:  # a death may orphan others
            time.sleep(0.01)

    def _report(self, line: str) -> None:
        self._journal.note(f"{_now()} {line}")
        self._report_to(line)


def _giving_up(spec: ProcessSpec, code: int, log: LogFile, history: RestartHistory) -> str:
    summary = f"{spec.name} died {history.young_deaths} times soon after its start"
    lines = "".join(f"\n    {line}" for line in log.last_lines(LINES_SHOWN))
    return f"{summary} ({describe_end(code)}); giving up. {log.path} ends:{lines}"


def _signals() -> list[signal.Signals]:
    """SIGHUP too, unless we run under nohup."""
    hangup = [] if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [signal.SIGHUP]
    return [signal.SIGINT, signal.SIGTERM, *hangup]


def _now() -> str:
    return datetime.now().isoformat(sep=" ", timespec="milliseconds")
