"""A process that writes until it is killed: `python writer_process.py URL NAME FIRST COUNT`.

Prints each number after it was acknowledged. A commit is a node pair and the search's progress.
"""

import sys

import trio

from storage.records import SearchProgress
from storage.store import Store, open_store
from tests.storage.examples import node


async def write(store: Store, search_id: str, number: int) -> None:
    await store.commit(
        node(f"0.{number}.1", search_id=search_id, expansion=number),
        node(f"0.{number}.2", search_id=search_id, expansion=number),
        SearchProgress(search_id, "running", number, number),
    )
    print(number, flush=True)


async def main(url: str, search_id: str, first: int, count: int) -> None:
    async with open_store(url) as store, trio.open_nursery() as nursery:
        limit = trio.CapacityLimiter(8)

        async def one(number: int) -> None:
            async with limit:
                await write(store, search_id, number)

        for number in range(first, first + count):
            nursery.start_soon(one, number)


if __name__ == "__main__":
    trio.run(main, sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
