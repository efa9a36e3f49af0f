"""How every process starts: the options it shares with all others, their set-up, its trio loop."""

import argparse
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar, TypeVarTuple

import trio

from rstar_async.telemetry import heartbeat
from rstar_async.telemetry.exporter import serve_metrics
from rstar_async.telemetry.logs import begin_logs
from rstar_async.telemetry.stalls import StallWatch

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")

log = logging.getLogger(__name__)


def add_options(parser: argparse.ArgumentParser) -> None:
    """`--metrics`, `--logs` and `--heartbeat`, the same for every process."""
    parser.add_argument(
        "--metrics",
        metavar="[HOST:]PORT",
        help="serve Prometheus metrics there; without HOST on loopback, without this not at all",
    )
    parser.add_argument("--logs", choices=("text", "json"), default="text", help="on stderr")
    parser.add_argument(
        "--heartbeat",
        "--pulse",  # the option's former name
        type=Path,
        metavar="FILE",
        help="file to touch while the process is healthy",
    )


def begin(options: argparse.Namespace, process: str) -> None:
    """Set up what `add_options` offered; `BadInput` if the address or the file cannot be used."""
    begin_logs(process, options.logs)
    heartbeat.begin(options.heartbeat)
    if options.metrics is not None:
        log.info("metrics served", extra={"address": serve_metrics(options.metrics)})


def run(main: Callable[[*Arguments], Awaitable[Result]], *arguments: *Arguments) -> Result:
    """`trio.run`, with a watch for stalls."""
    return trio.run(main, *arguments, instruments=[StallWatch(heartbeat.has_beaten)])
