"""Which tasks do the items, and when."""

import trio
import trio.testing

from workers.task_pool import TaskPool


async def test_items_that_wait_do_not_wait_for_each_other():
    begun: list[int] = []

    async def work(item: int) -> None:
        begun.append(item)
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        tasks = TaskPool(nursery, work)
        for item in range(5):
            tasks.start(item)
        await trio.testing.wait_all_tasks_blocked()
        assert begun == [0, 1, 2, 3, 4]
        nursery.cancel_scope.cancel()


async def test_a_task_that_rests_does_the_next_item():
    seen: set[trio.lowlevel.Task] = set()

    async def work(item: int) -> None:
        seen.add(trio.lowlevel.current_task())
        await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        tasks = TaskPool(nursery, work)
        for item in range(5):
            tasks.start(item)
            await trio.testing.wait_all_tasks_blocked()
        assert len(seen) == 1
        nursery.cancel_scope.cancel()


async def test_items_that_take_no_time_are_done_by_one_task_in_order():
    done: list[tuple[trio.lowlevel.Task, int]] = []

    async def work(item: int) -> None:
        done.append((trio.lowlevel.current_task(), item))

    async with trio.open_nursery() as nursery:
        tasks = TaskPool(nursery, work)
        for item in range(5):
            tasks.start(item)
        await trio.testing.wait_all_tasks_blocked()
        assert [item for _, item in done] == [0, 1, 2, 3, 4]
        assert len({task for task, _ in done}) == 1
        nursery.cancel_scope.cancel()


async def test_an_item_can_start_others():
    done: list[int] = []

    async with trio.open_nursery() as nursery:

        async def work(item: int) -> None:
            if item:
                tasks.start(item - 1)
            await trio.lowlevel.checkpoint()
            done.append(item)

        tasks = TaskPool(nursery, work)
        tasks.start(5)
        await trio.testing.wait_all_tasks_blocked()
        assert sorted(done) == [0, 1, 2, 3, 4, 5]
        nursery.cancel_scope.cancel()
