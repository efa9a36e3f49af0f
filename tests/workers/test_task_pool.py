"""Which tasks do the items, and when."""

import pytest
import trio
import trio.testing

from workers.task_pool import TaskPool


async def test_items_that_wait_do_not_wait_for_each_other():
    begun: list[int] = []

    async def work(item: int, scope: trio.CancelScope) -> None:
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

    async def work(item: int, scope: trio.CancelScope) -> None:
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

    async def work(item: int, scope: trio.CancelScope) -> None:
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

        async def work(item: int, scope: trio.CancelScope) -> None:
            if item:
                tasks.start(item - 1)
            await trio.lowlevel.checkpoint()
            done.append(item)

        tasks = TaskPool(nursery, work)
        tasks.start(5)
        await trio.testing.wait_all_tasks_blocked()
        assert sorted(done) == [0, 1, 2, 3, 4, 5]
        nursery.cancel_scope.cancel()


async def test_what_cancels_an_item_cancels_no_other():
    scopes: dict[int, trio.CancelScope] = {}
    gates = {number: trio.Event() for number in range(3)}
    ended: list[int] = []

    async def work(item: int, scope: trio.CancelScope) -> None:
        scopes[item] = scope
        await gates[item].wait()
        ended.append(item)

    async with trio.open_nursery() as nursery:
        tasks = TaskPool(nursery, work)
        tasks.start(0)
        tasks.start(1)
        await trio.testing.wait_all_tasks_blocked()
        scopes[1].cancel()
        tasks.start(2)
        for gate in gates.values():
            gate.set()
        await trio.testing.wait_all_tasks_blocked()
        assert sorted(ended) == [0, 2]
        nursery.cancel_scope.cancel()


async def test_an_item_cancelled_by_its_own_end_leaves_the_next_one_alone():
    done: list[int] = []

    async def work(item: int, scope: trio.CancelScope) -> None:
        done.append(item)
        scope.cancel()

    async with trio.open_nursery() as nursery:
        tasks = TaskPool(nursery, work)
        for item in range(3):
            tasks.start(item)
        await trio.testing.wait_all_tasks_blocked()
        assert done == [0, 1, 2]
        nursery.cancel_scope.cancel()


async def test_a_deadline_that_passes_while_its_task_rests_stops_nothing():
    done: list[int] = []

    async def work(item: int, scope: trio.CancelScope) -> None:
        scope.deadline = trio.current_time() + 0.02
        await trio.lowlevel.checkpoint()
        done.append(item)

    async with trio.open_nursery() as nursery:
        tasks = TaskPool(nursery, work)
        tasks.start(1)
        await trio.sleep(0.1)
        tasks.start(2)
        await trio.testing.wait_all_tasks_blocked()
        assert done == [1, 2]
        nursery.cancel_scope.cancel()


async def test_an_item_that_raises_ends_the_nursery():
    async def work(item: int, scope: trio.CancelScope) -> None:
        raise ValueError(item)

    with pytest.RaisesGroup(ValueError):
        async with trio.open_nursery() as nursery:
            TaskPool(nursery, work).start(1)
