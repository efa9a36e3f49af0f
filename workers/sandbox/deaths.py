"""Deaths of processes that have not said hello, as the guard reports them."""

import signal

import trio

from workers.sandbox.interpreter import Interpreter, ProcessExit

MAX_REMEMBERED = 256
REPORT_SECONDS = 0.3  # for the guard to report the death that may explain a silence


class Deaths:
    """Remembers the last of them, and counts those that were killed, by the kernel or from here."""

    def __init__(self) -> None:
        self._remembered: dict[int, ProcessExit] = {}
        self._reported = trio.lowlevel.ParkingLot()
        self.killed = 0

    def remember(self, pid: int, exit_info: ProcessExit) -> None:
        """An unknown process has ended."""
        self.killed += exit_info.signal == signal.SIGKILL
        self._remembered[pid] = exit_info
        while len(self._remembered) > MAX_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]

    def take(self, pid: int) -> ProcessExit | None:
        """How `pid` has ended, which only now becomes known; None if it has not."""
        return self._remembered.pop(pid, None)

    def wake(self) -> None:
        """Some process has ended, known or not."""
        self._reported.unpark_all()

    async def explain(self, parent: Interpreter, killed_before: int) -> bool:
        """Whether the parent, or a process that might be its child, was killed from outside."""
        with trio.move_on_after(REPORT_SECONDS):
            while not parent.exited.is_set() and self.killed == killed_before:
                await self._reported.park()
        killed = parent.exit_info is not None and parent.exit_info.signal == signal.SIGKILL
        return killed or self.killed > killed_before
