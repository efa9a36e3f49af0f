"""`python -m workers executor|inference|reward --endpoint ENDPOINT`: one worker process.

It works until SIGTERM, which drains it; a second signal ends it at once. Exit codes: 0 drained,
1 the engine died, 2 bad input. Torch is imported only where a model runs in this process.
"""

import argparse
import os
import socket
import sys
from pathlib import Path

from rstar_async.errors import BadInput
from rstar_async.telemetry import process
from rstar_async.wire.endpoints import check_endpoint
from rstar_async.wire.exception_groups import single
from rstar_async.wire.keys import load_peer_keys
from workers.engines.base import EngineFailed, ModelUnavailable
from workers.engines.factory import (
    INFERENCE_ENGINES,
    REWARD_ENGINES,
    add_engine_options,
    number,
    open_engine,
    open_scorer,
)
from workers.worker import EngineDead

ENGINE_DIED, BAD_INPUT = 1, 2
WEAKNESSES = ("no-landlock", "no-listener")


def main(arguments: list[str] | None = None) -> int:
    """Run one worker to its end; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        process.begin(options, options.name)
        _check_connection(options)
        options.check(options)
        process.run(options.serve, options)
    except Exception as error:
        code = _exit_code(cause := single(error))
        if code is None:
            raise
        print(f"workers: {cause}", file=sys.stderr)
        return code
    return 0


def _exit_code(error: BaseException) -> int | None:
    """None for what is a defect of ours and wants a traceback."""
    if isinstance(error, BadInput | ModelUnavailable):
        return BAD_INPUT
    return ENGINE_DIED if isinstance(error, EngineDead | EngineFailed) else None


async def _executor(options: argparse.Namespace) -> None:
    from workers.executor import serve_executor
    from workers.sandbox import Options

    slots = options.slots or len(os.sched_getaffinity(0))
    sandbox = Options(slots=slots, allow=options.allow)
    await serve_executor(options.endpoint, options.name, options=sandbox, keys=options.keys)


async def _inference(options: argparse.Namespace) -> None:
    from workers.inference import serve_inference

    # A request has several samples, each a row; a few more than fit keep the engine from waiting.
    capacity = max(2, options.rows // 4)
    async with open_engine(options) as engine:
        await serve_inference(options.endpoint, options.name, engine, capacity, keys=options.keys)


async def _reward(options: argparse.Namespace) -> None:
    from workers.reward import serve_reward

    async with open_scorer(options) as scorer:
        await serve_reward(options.endpoint, options.name, scorer, options.rows, keys=options.keys)


def _check_connection(options: argparse.Namespace) -> None:
    """Refuse before anything heavy is imported."""
    check_endpoint(options.endpoint, secured=options.keys is not None)
    if options.keys is not None:
        load_peer_keys(options.keys)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    kinds = parser.add_subparsers(required=True, metavar="executor|inference|reward")
    executor = _kind(kinds.add_parser("executor", help="runs programs, confined"), _executor)
    executor.add_argument("--slots", type=number, default=0, help="programs at once; 0: all cores")
    executor.add_argument(
        "--allow",
        action="append",
        default=[],
        choices=WEAKNESSES,
        help="do without a lock that this machine lacks; see docs/security.md",
    )
    inference = _kind(kinds.add_parser("inference", help="continues prompts"), _inference)
    add_engine_options(inference, INFERENCE_ENGINES)
    reward = _kind(kinds.add_parser("reward", help="values steps by a PPM"), _reward)
    add_engine_options(reward, REWARD_ENGINES)
    return parser


def _kind(parser: argparse.ArgumentParser, serve: object) -> argparse.ArgumentParser:
    parser.set_defaults(serve=serve, check=lambda options: None)
    parser.add_argument("--endpoint", required=True, help="where the broker meets its workers")
    parser.add_argument(
        "--name", default=socket.gethostname(), help="unlike any other's; the host's"
    )
    parser.add_argument("--keys", type=Path, help="folder with this worker's CURVE keys")
    process.add_options(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
