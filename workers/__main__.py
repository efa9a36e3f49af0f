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
from rstar_async.wire.groups import single
from rstar_async.wire.keys import load_peer_keys
from workers.engines.interface import Engine, Scorer

BAD_INPUT = 2
ENGINES = ("local", "sglang", "scripted")
WEAKNESSES = ("no-landlock", "no-listener")


def main(arguments: list[str] | None = None) -> int:
    """Run one worker to its end; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        process.begin(options, options.name)
        _check_connection(options)
        process.run(options.serve, options)
    except Exception as error:
        if not isinstance(cause := single(error), BadInput):
            raise
        print(f"workers: {cause}", file=sys.stderr)
        return BAD_INPUT
    return 0


async def _executor(options: argparse.Namespace) -> None:
    from workers.executor import serve_executor
    from workers.sandbox import Options

    slots = options.slots or len(os.sched_getaffinity(0))
    sandbox = Options(slots=slots, allow=options.allow)
    await serve_executor(options.endpoint, options.name, options=sandbox, keys=options.keys)


async def _inference(options: argparse.Namespace) -> None:
    from workers.inference import serve_inference

    _check_engine(options)
    # A request has several samples, each a row; a few more than fit keep the engine from waiting.
    capacity = max(2, options.rows // 4)
    async with _engine(options) as engine:
        await serve_inference(options.endpoint, options.name, engine, capacity, keys=options.keys)


async def _reward(options: argparse.Namespace) -> None:
    from workers.reward import serve_reward

    _check_engine(options)
    async with _scorer(options) as scorer:
        await serve_reward(options.endpoint, options.name, scorer, options.rows, keys=options.keys)


def _engine(options: argparse.Namespace) -> Engine:
    if options.engine == "scripted":
        from workers.engines.scripted import ScriptedEngine

        return ScriptedEngine(options.models, delay=options.delay)
    from workers.engines.local import LocalEngine

    return LocalEngine(
        options.models,
        device=options.device,
        dtype=options.dtype,
        cache_mib=options.cache_mib,
        max_rows=options.rows,
        threads=options.threads,
    )


def _scorer(options: argparse.Namespace) -> Scorer:
    if options.engine == "scripted":
        from workers.engines.scripted import ScriptedScorer

        return ScriptedScorer(options.models, delay=options.delay)
    from workers.engines.local_scorer import LocalScorer

    return LocalScorer(
        options.models,
        device=options.device,
        dtype=options.dtype,
        cache_mib=options.cache_mib,
        threads=options.threads,
    )


def _check_connection(options: argparse.Namespace) -> None:
    """Refuse before anything heavy is imported."""
    check_endpoint(options.endpoint, secured=options.keys is not None)
    if options.keys is not None:
        load_peer_keys(options.keys)


def _check_engine(options: argparse.Namespace) -> None:
    if options.engine == "sglang":
        raise BadInput("this version has no engine 'sglang'; use --engine local")
    if not options.models.is_dir():
        raise BadInput(f"there is no folder of models {options.models}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    kinds = parser.add_subparsers(required=True, metavar="executor|inference|reward")
    executor = _kind(kinds.add_parser("executor", help="runs programs, confined"), _executor)
    executor.add_argument("--slots", type=_count, default=0, help="programs at once; 0: all cores")
    executor.add_argument(
        "--allow",
        action="append",
        default=[],
        choices=WEAKNESSES,
        help="do without a lock that this machine lacks; see docs/security.md",
    )
    inference = _kind(kinds.add_parser("inference", help="continues prompts"), _inference)
    reward = _kind(kinds.add_parser("reward", help="values steps by a PPM"), _reward)
    for engine in (inference, reward):
        _add_engine_options(engine)
    return parser


def _kind(parser: argparse.ArgumentParser, serve: object) -> argparse.ArgumentParser:
    parser.set_defaults(serve=serve)
    parser.add_argument("--endpoint", required=True, help="where the broker meets its workers")
    parser.add_argument(
        "--name", default=socket.gethostname(), help="unlike any other's; the host's"
    )
    parser.add_argument("--keys", type=Path, help="folder with this worker's CURVE keys")
    process.add_options(parser)
    return parser


def _add_engine_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--models", type=Path, required=True, help="folder of model versions")
    parser.add_argument("--engine", choices=ENGINES, default="local")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds; of the scripted engine")
    parser.add_argument("--server", help="base URL of a running SGLang server")
    parser.add_argument("--rows", type=_positive, default=128, help="sequences computed at once")
    parser.add_argument("--cache-mib", type=_count, default=1024, help="prefix cache; 0: none")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--dtype", choices=("auto", "float32", "bfloat16"), default="auto")
    parser.add_argument("--threads", type=_positive, help="threads of torch; default: its own")


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 up")
    return int(text)


def _positive(text: str) -> int:
    if _count(text) == 0:
        raise argparse.ArgumentTypeError("must be above 0")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
