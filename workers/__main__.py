"""`python -m workers executor|inference|reward --endpoint ENDPOINT`: one worker process.

SIGTERM drains it; a second signal ends it at once. Exit codes: 0 drained, 1 the engine died, 2 bad
input. Torch is imported only where a model runs in this process.
"""

import argparse
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from rstar_async.engines.errors import EngineFailed, ModelUnavailable
from rstar_async.engines.sglang_servers import ModelPool
from rstar_async.errors import BadInput
from rstar_async.telemetry import process
from rstar_async.telemetry.gc_tuning import tune_gc
from rstar_async.wire.endpoints import check_endpoint
from rstar_async.wire.exception_groups import single
from rstar_async.wire.keys import load_peer_keys
from workers.engines.factory import ModelOptions, add_engine_options, number
from workers.sandbox.policy import WAIVERS
from workers.worker import EngineDead

ENGINE_DIED, BAD_INPUT = 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Run one worker to its end; return the exit code."""
    try:
        options = parse(sys.argv[1:] if arguments is None else arguments)
        process.begin(options, options.name)
        _check_connection(options)
        if options.pool == "executor":
            process.run(_serve_executor, options)
        else:
            process.run(_serve_model, options, ModelOptions.of(options.pool, options))
    except Exception as error:
        code = _exit_code(cause := single(error))
        if code is None:
            raise
        print(f"workers: {cause}", file=sys.stderr)
        return code
    return 0


def _exit_code(error: BaseException) -> int | None:
    """None for a defect of this program, which deserves a traceback."""
    if isinstance(error, BadInput | ModelUnavailable):
        return BAD_INPUT
    return ENGINE_DIED if isinstance(error, EngineDead | EngineFailed) else None


async def _serve_executor(options: argparse.Namespace) -> None:
    from workers.executor import serve_executor
    from workers.sandbox import Options

    tune_gc()
    slots = options.slots or len(os.sched_getaffinity(0))
    sandbox = Options(slots=slots, allow=options.allow)
    await serve_executor(options.endpoint, options.name, options=sandbox, keys=options.keys)


async def _serve_model(options: argparse.Namespace, model: ModelOptions) -> None:
    from workers.serve_model import serve_model

    async with model.open() as engine:
        place = (options.endpoint, options.name)
        await serve_model(model.pool, *place, engine, model.capacity, keys=options.keys)


def _check_connection(options: argparse.Namespace) -> None:
    """Refuse before anything heavy is imported."""
    check_endpoint(options.endpoint, secured=options.keys is not None)
    if options.keys is not None:
        load_peer_keys(options.keys)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options; those of a model's worker depend on `--engine`."""
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    pools = parser.add_subparsers(required=True, dest="pool", metavar="executor|inference|reward")
    executor = _add_pool(pools, "executor", "runs programs in the sandbox")
    executor.add_argument("--slots", type=number, default=0, help="programs at once; 0: all cores")
    executor.add_argument(
        "--allow",
        action="append",
        default=[],
        choices=WAIVERS,
        help="do without a protection that this machine lacks; see docs/security.md",
    )
    engine = _engine_named_in(arguments)
    models: dict[ModelPool, str] = {"inference": "continues prompts", "reward": "scores steps"}
    for pool, purpose in models.items():
        add_engine_options(_add_pool(pools, pool, purpose), engine)
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        where = "" if options.pool == "executor" else f" with the engine {engine}"
        raise BadInput(f"the {options.pool} worker has no option {unknown[0]}{where}; see --help")
    return options


def _engine_named_in(arguments: Sequence[str]) -> str:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--engine", default="local")
    name: str = parser.parse_known_args(arguments)[0].engine
    return name


def _add_pool(
    pools: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, purpose: str
) -> argparse.ArgumentParser:
    parser = pools.add_parser(name, help=purpose)
    parser.add_argument("--endpoint", required=True, help="the broker's endpoint for workers")
    parser.add_argument(
        "--name", default=socket.gethostname(), help="unique in its pool [the host's name]"
    )
    parser.add_argument("--keys", type=Path, help="folder with this worker's CURVE keys")
    process.add_options(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
