"""A stalled loop is counted and logged with the task's name."""

import logging
import time

import trio

from rstar_async.telemetry.metrics import STALLS
from rstar_async.telemetry.stalls import StallWatch


async def compute(seconds: float) -> None:
    time.sleep(seconds)  # noqa: ASYNC251  the fault under test


def stalls() -> float:
    return next(s.value for s in next(iter(STALLS.collect())).samples if s.name.endswith("_count"))


def test_a_step_that_blocks_the_loop_is_counted_and_its_task_named(caplog):
    before = stalls()
    with caplog.at_level(logging.WARNING):
        trio.run(compute, 0.15, instruments=[StallWatch(lambda: True)])
    assert stalls() == before + 1
    (record,) = [r for r in caplog.records if r.getMessage() == "loop stalled"]
    assert record.task.endswith("compute")
    assert record.seconds >= 0.15


def test_waiting_is_no_stall():
    before = stalls()
    trio.run(trio.sleep, 0.2, instruments=[StallWatch(lambda: True)])
    assert stalls() == before


def test_a_stall_during_the_start_is_counted_but_not_logged(caplog):
    is_up = False

    async def start_and_serve() -> None:
        nonlocal is_up
        await compute(0.15)
        await trio.lowlevel.checkpoint()
        is_up = True
        await compute(0.11)

    before = stalls()
    with caplog.at_level(logging.WARNING):
        trio.run(start_and_serve, instruments=[StallWatch(lambda: is_up)])
    assert stalls() == before + 2
    assert caplog.text.count("loop stalled") == 1


def test_all_stalls_are_counted_and_one_a_second_is_logged(caplog):
    async def again_and_again() -> None:
        for _ in range(3):
            await compute(0.11)
            await trio.lowlevel.checkpoint()

    before = stalls()
    with caplog.at_level(logging.WARNING):
        trio.run(again_and_again, instruments=[StallWatch(lambda: True)])
    assert stalls() == before + 3
    assert caplog.text.count("loop stalled") == 1
