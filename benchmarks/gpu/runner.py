"""Runs the parts one after another, each in a process of its own and for a limited time.

Whatever a part does to itself, the next one begins: it is told to stop (SIGINT), then killed with
its process group. A part that stays is told so after the last part that uses it.
"""

import signal
import sys
from collections.abc import Collection, Sequence

import msgspec
import trio

from benchmarks.gpu.findings import read_findings
from benchmarks.gpu.place import Place
from benchmarks.gpu.plan import DONE, READY, Need, Outcome, Part, last_user, obstacle, seconds_for
from rstar_async.launch.child import Child, describe_end
from rstar_async.launch.log_file import LogFile
from rstar_async.launch.processes import ProcessSpec

GRACE_SECONDS = 12.0
POLL_SECONDS = 0.2
LONGEST_REASON, LAST_LINES = 160, 10


class Runner:
    """`limit` seconds for all parts; what has to be stopped at the end stops within them."""

    def __init__(self, place: Place, has: Collection[Need], limit: float, patience: float) -> None:
        self._place, self._has, self._patience = place, has, patience
        self._end = trio.current_time() + limit - 2 * GRACE_SECONDS
        self._succeeded: set[str] = set()
        place.file.write_bytes(msgspec.json.encode(place))

    async def run(self, parts: Sequence[Part]) -> list[Outcome]:
        """The outcome of each part, in order; says each on stderr as it becomes known."""
        outcomes = []
        staying: dict[str, Child] = {}
        async with trio.open_nursery() as self._nursery:
            for part in parts:
                outcome = await self._outcome(part, staying, last_user(parts, part))
                outcomes.append(outcome)
                took = f"{part.name}: {outcome.said} ({outcome.seconds:.0f} s)"
                print(took, file=sys.stderr, flush=True)
                if (child := staying.pop(part.name, None)) is not None:
                    await child.stop()
        return outcomes

    async def _outcome(self, part: Part, staying: dict[str, Child], last: str) -> Outcome:
        began = trio.current_time()
        if (reason := obstacle(part, self._has, self._succeeded)) is not None:
            return Outcome(part, reason, 0.0, [])
        if (seconds := seconds_for(part, self._end - began, self._patience)) is None:
            return Outcome(part, "not run: no time was left", 0.0, [])
        child = self._start(part)
        said = await self._said(part, child, seconds)
        if said in (DONE, READY):
            self._succeeded.add(part.name)
        if said == READY:
            staying[last] = child
        else:
            await child.stop()
        findings = read_findings(self._place.findings(part.name))
        return Outcome(part, said, trio.current_time() - began, findings)

    def _start(self, part: Part) -> Child:
        argv = (sys.executable, "-m", "benchmarks.gpu.part", part.name, str(self._place.file))
        spec = ProcessSpec(
            name=part.name, argv=argv, stop_signal=signal.SIGINT, grace_seconds=GRACE_SECONDS
        )
        child = Child.start(spec, self._log(part))
        self._nursery.start_soon(child.wait)
        return child

    async def _said(self, part: Part, child: Child, seconds: float) -> str:
        with trio.move_on_after(seconds):
            while not child.gone.is_set():
                if part.stays and self._place.ready(part.name).exists():
                    return READY
                with trio.move_on_after(POLL_SECONDS):
                    await child.gone.wait()
            code = child.reap()
            return DONE if code == 0 else f"failed: {_reason(self._log(part), code)}"
        return f"not done after {seconds:.0f} s"

    def _log(self, part: Part) -> LogFile:
        return LogFile(self._place.home, part.name)


def _reason(log: LogFile, code: int) -> str:
    """The last line of a log with a word in it, which names the exception if there was one."""
    lines = [line for line in log.last_lines(LAST_LINES) if any(map(str.isalpha, line))]
    return lines[-1].strip(" |")[:LONGEST_REASON] if lines else describe_end(code)
