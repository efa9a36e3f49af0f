"""Fed to the coordinator's container: jobs that only wait; who did them, and in which time.

`python - NAME COUNT`; NAME makes the jobs unlike those of another probe.
"""

import sys
from collections import Counter
from pathlib import Path

import msgspec
import trio

from rstar_async.wire.messages import job_id
from rstar_async.wire.payloads import Execute
from rstar_async.wire.pool import PoolClient, open_pool

BROKER = "tcp://broker-executor:5551"
NAP = "import time\ntime.sleep(1)"
BEFORE_ALL_OTHERS = 1_000_000


async def nap(pool: PoolClient, tree: str, served: Counter[str]) -> None:
    """One program in a tree of its own, so that any executor may have it."""
    body = msgspec.msgpack.encode(Execute(tree, [NAP]))
    answer = await pool.ask(job_id(tree), body, group=tree, priority=BEFORE_ALL_OTHERS)
    served[answer.worker] += 1


async def main(name: str, count: int) -> None:
    served: Counter[str] = Counter()
    async with open_pool(BROKER, name="probe", keys=Path("/keys/coordinator")) as pool:
        started = trio.current_time()
        async with trio.open_nursery() as nursery:
            for number in range(count):
                nursery.start_soon(nap, pool, f"{name}-{number}", served)
        seconds = trio.current_time() - started
    print(msgspec.json.encode({"seconds": seconds, "served": served}).decode())


trio.run(main, sys.argv[1], int(sys.argv[2]))
