"""`python -m benchmarks.broker`: round trips through a broker, beside the fastest thing there is.

The limit is `zmq.proxy` between blocking peers, which send one message there and one back. The
broker is measured between blocking peers that speak its protocol (four messages a job, but many to
an envelope): the claim is that with 1024 jobs in flight it passes at least half as many.

The third setting is our own client and worker, as in a run. There a job wakes a task with a place
in the window at one end and one with a deadline at the other, 11 to 14 us of CPU each beside 20 in
the broker; that, not the wire, keeps it below the others. Where cores are shared, compare
the CPU time that a round trip costs the process in the middle.

`--overload MINUTES`: instead, ten times more jobs than the workers can take.
"""

import argparse
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from benchmarks.broker.overload import measure_overload
from benchmarks.broker.peers import Timing, running
from benchmarks.report import Report, open_report

IN_FLIGHT = (1, 64, 1024)
# The process in the middle, its worker, its client.
SETTINGS = {
    "zmq.proxy, blocking peers": ("proxy", "raw_worker", "raw_client"),
    "broker, blocking peers": ("broker", "lease_worker", "lease_client"),
    "broker, pool client and worker": ("broker", "pool_worker", "pool_client"),
}
RAW, LEASE, _ = SETTINGS
HALF = 0.5


def main(arguments: list[str] | None = None) -> int:
    """Measure, one setting after another."""
    report = open_report(__doc__, arguments, _parser())
    if report.options.overload:
        measure_overload(report, 60 * report.options.overload)
        return report.close()
    seconds = report.options.seconds or (1.5 if report.short else 5.0)
    rates: dict[tuple[str, str, int], float] = {}
    for transport in ("tcp", "ipc"):
        for in_flight in report.options.in_flight:
            for setting in SETTINGS:
                timing, cpu = _measure(setting, transport, in_flight, seconds)
                rates[setting, transport, in_flight] = timing.per_second
                _row(report, setting, transport, in_flight, timing, cpu)
    for transport in ("tcp", "ipc") if 1024 in report.options.in_flight else ():
        share = rates[LEASE, transport, 1024] / rates[RAW, transport, 1024]
        report.claim(f"share of raw with 1024 in flight, {transport}", share, "", ">=", HALF)
    return report.close()


def _measure(setting: str, transport: str, in_flight: int, seconds: float) -> tuple[Timing, float]:
    """The client's timing, and CPU seconds a round trip of the process in the middle."""
    broker, worker, client = SETTINGS[setting]
    with tempfile.TemporaryDirectory(prefix="rstar-") as folder, contextlib.ExitStack() as stack:
        front, back = _endpoints(transport, Path(folder))
        if broker == "proxy":
            middle = stack.enter_context(running("benchmarks.broker.peers", "proxy", front, back))
        else:
            ends = ("--clients", front, "--workers", back)
            middle = stack.enter_context(running("brokers", "benchmark", *ends))
        stack.enter_context(running("benchmarks.broker.peers", worker, back))
        command = [sys.executable, "-m", "benchmarks.broker.peers", client, front]
        _wait_until_up(middle.pid)
        before = cpu_seconds(middle.pid)
        done = subprocess.run(
            [*command, str(in_flight), str(seconds)], capture_output=True, check=True, timeout=120
        )
        cpu = cpu_seconds(middle.pid) - before
    timing = msgspec.json.decode(done.stdout, type=Timing)
    return timing, cpu / timing.round_trips


def _wait_until_up(pid: int) -> None:
    """Wait until it has started and waits for its peers."""
    before = -1.0
    while (now := cpu_seconds(pid)) != before or not now:
        before = now
        time.sleep(0.5)


def cpu_seconds(pid: int) -> float:
    """What a process has used so far, in user and kernel mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _endpoints(transport: str, folder: Path) -> tuple[str, str]:
    if transport == "ipc":
        return f"ipc://{folder}/clients", f"ipc://{folder}/workers"
    return f"tcp://127.0.0.1:{_free_port()}", f"tcp://127.0.0.1:{_free_port()}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _row(
    report: Report, setting: str, transport: str, in_flight: int, timing: Timing, cpu: float
) -> None:
    report.row(
        setting=setting,
        transport=transport,
        in_flight=in_flight,
        per_second=timing.per_second,
        p50_ms=timing.p50_ms,
        p99_ms=timing.p99_ms,
        cpu_us_in_the_middle=1e6 * cpu,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.broker")
    parser.add_argument("--seconds", type=float, default=0.0, help="of each measurement")
    parser.add_argument("--in-flight", type=int, nargs="+", default=IN_FLIGHT, metavar="N")
    parser.add_argument("--overload", type=float, default=0.0, metavar="MINUTES")
    return parser


if __name__ == "__main__":
    sys.exit(main())
