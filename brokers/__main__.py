"""`python -m brokers POOL --clients ENDPOINT --workers ENDPOINT`: one broker, until SIGTERM."""

import argparse
import logging
import signal
import sys
from pathlib import Path

import trio

from brokers.broker import Broker
from brokers.state import BrokerConfig
from rstar_async.errors import BadInput
from rstar_async.telemetry import heartbeat, process
from rstar_async.telemetry.gc_tuning import tune_gc
from rstar_async.wire.keys import load_broker_keys

log = logging.getLogger("brokers")

# A tree has one job at a time there, whose worker has the tree's prefix in its cache afterwards. Of
# programs it has several, and their interpreters are spread.
POOLS_WITH_PREFIX_CACHE = ("inference", "reward")
SLOW_POOLS = {"inference": 20.0}  # GPU and GIL stalls silence a healthy worker for longer


def main(arguments: list[str] | None = None) -> int:
    options = _parse(arguments)
    try:
        process.begin(options, f"broker-{options.pool}")
        process.run(_serve, options)
    except BadInput as error:
        print(f"brokers: {error}", file=sys.stderr)
        return 2
    return 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m brokers", description=__doc__)
    parser.add_argument("pool", help="inference, executor or reward")
    parser.add_argument("--clients", required=True, help="endpoint to listen for clients on")
    parser.add_argument("--workers", required=True, help="endpoint to listen for workers on")
    parser.add_argument("--keys", type=Path, help="the broker's key folder (`rstar keys DIR`)")
    parser.add_argument("--letters", type=Path, help="folder for dead letters")
    parser.add_argument("--notice", type=Path, help="file for the pool's status, every second")
    parser.add_argument(
        "--lease", type=float, help="seconds of silence after which a worker loses its jobs"
    )
    process.add_options(parser)
    return parser.parse_args(arguments)


async def _serve(options: argparse.Namespace) -> None:
    broker = Broker(
        options.pool,
        clients=options.clients,
        workers=options.workers,
        keys=load_broker_keys(options.keys) if options.keys is not None else None,
        dead_letters=options.letters,
        status_file=options.notice,
        config=BrokerConfig(
            lease=options.lease or SLOW_POOLS.get(options.pool, BrokerConfig().lease),
            affinity_follows=options.pool in POOLS_WITH_PREFIX_CACHE,
        ),
    )
    tune_gc()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(broker.run)
        nursery.start_soon(heartbeat.keep)
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async for number in signals:
                log.info("stopping", extra={"signal": signal.Signals(number).name})
                nursery.cancel_scope.cancel()


if __name__ == "__main__":
    sys.exit(main())
