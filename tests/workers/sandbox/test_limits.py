"""Time, memory and output are limited, and a program that exceeds a limit is stopped."""

import pytest
import trio

from workers.sandbox import Limits


@pytest.mark.parametrize(
    "loop",
    [
        "while True: pass",
        "x = 10**10**10",
        "import re\nre.match(r'(a+)+$', 'a'*60 + 'b')",
        "import signal\nfor s in range(1, 32):\n  try: signal.signal(s, signal.SIG_IGN)\n"
        "  except OSError: pass\nwhile True: pass",
    ],
)
async def test_endless_work_is_killed_by_its_cpu_time(sandbox, tree, loop):
    limits = Limits(wall_seconds=20, cpu_seconds=0.3)
    outcome = await sandbox.run(tree, [loop], limits)
    assert (outcome.status, outcome.step) == ("timeout", 0)
    assert outcome.error_message == "more than 0.3 s of CPU time"
    assert 0.25 < outcome.cpu_seconds < 1.0


async def test_endless_sleep_is_killed_by_wall_time(sandbox, tree):
    outcome = await sandbox.run(tree, ["import time\ntime.sleep(99)"], Limits(wall_seconds=0.3))
    assert (outcome.status, outcome.error_message) == ("timeout", "more than 0.3 s of wall time")


async def test_endless_loop_is_killed_and_siblings_go_on(sandbox, tree):
    await sandbox.run(tree, ["x = 1"])
    ended = []

    async def loop():
        limits = Limits(wall_seconds=1.5, cpu_seconds=3)
        ended.append((await sandbox.run(tree, ["x = 1", "while True: pass"], limits)).status)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(loop)
        for number in range(5):
            outcome = await sandbox.run(tree, ["x = 1", f"x + {number}"])
            assert outcome.value == str(number + 1)
        assert ended == []
    assert ended == ["timeout"]


async def test_output_is_cut_at_its_cap_and_the_program_stopped(sandbox, tree, quick):
    outcome = await sandbox.run(tree, ["while True: print('x' * 999)"], quick)
    assert (outcome.status, len(outcome.stdout)) == ("output", 4096)


async def test_output_of_exactly_the_cap_is_fine(sandbox, tree, quick):
    outcome = await sandbox.run(tree, ["print('x' * 4095)"], quick)
    assert (outcome.status, len(outcome.stdout)) == ("ok", 4096)


async def test_what_was_printed_before_a_kill_is_kept(sandbox, tree, quick):
    step = "print('so far', flush=True)\nwhile True: pass"
    assert (await sandbox.run(tree, [step], quick)).stdout == "so far\n"


@pytest.mark.parametrize("flavour", ["", "import sympy\n"])
async def test_memory_has_a_limit(sandbox, tree, quick, flavour):
    outcome = await sandbox.run(tree, [flavour + "b = bytearray(300 << 20)"], quick)
    assert (outcome.status, outcome.error_type) == ("memory", "MemoryError")
    outcome = await sandbox.run(tree, [flavour + "b = bytearray(100 << 20)"], quick)
    assert outcome.status == "ok"
    assert outcome.peak_mib > 100


async def test_mapped_memory_counts_as_memory(sandbox, tree, quick):
    step = "import mmap\nm = mmap.mmap(-1, {} << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)"
    assert (await sandbox.run(tree, [step.format(100)], quick)).status == "ok"
    assert (await sandbox.run(tree, [step.format(300)], quick)).error_message.endswith("memory")


async def test_a_greater_memory_limit_is_not_blocked_by_a_smaller_before(sandbox, tree, quick):
    steps = ["x = 1", "b = bytearray(300 << 20)"]
    assert (await sandbox.run(tree, steps, quick)).status == "memory"
    assert (await sandbox.run(tree, steps, Limits(memory_mib=1024))).status == "ok"


async def test_cpu_time_and_memory_are_measured(sandbox, tree):
    outcome = await sandbox.run(tree, ["b = bytearray(50 << 20)\nsum(range(3_000_000))"])
    assert outcome.status == "ok"
    assert 0.01 < outcome.cpu_seconds < 5
    assert 50 < outcome.peak_mib < 150


async def test_every_step_has_limits_of_its_own(sandbox, tree):
    limits = Limits(wall_seconds=20, cpu_seconds=0.5)
    work = "import time\nwhile time.process_time() < {}: pass"
    outcome = await sandbox.run(tree, [work.format(0.3), work.format(0.6), "1"], limits)
    assert (outcome.status, outcome.value) == ("ok", "1")
