"""Deaths at the worst moments: at a result, without a listener, with a thousand live nodes."""

import os
import random
import signal
import subprocess
import sys

import pytest
import trio

from workers.sandbox import Limits, Options, SandboxError, open_sandbox
from workers.sandbox.process_group import members

ENOSYS = 38
STEPS = ["x = [1]", "x.append(2)\nprint('said', flush=True)\nsum(x)"]


async def test_a_program_killed_from_outside_at_any_moment_is_run_again(sandbox):
    """From its birth until long after its result, as long as a warm run takes."""
    dice, before = random.Random(1), sandbox.statistics.killed

    async def timed_run(tree):
        started = trio.current_time()
        outcome = await sandbox.run(tree, STEPS)
        assert (outcome.status, outcome.stdout, outcome.value) == ("ok", "said\n", "3")
        return trio.current_time() - started

    async def shoot(seconds, known):
        await trio.sleep(seconds)
        for pid in sandbox.pids - known:
            os.kill(pid, signal.SIGKILL)

    await timed_run("cold")
    shots = 0
    with trio.fail_after(60):
        while shots < 60 or sandbox.statistics.killed == before:
            undisturbed = await timed_run(f"undisturbed {shots}")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(shoot, dice.random() * 3 * undisturbed, sandbox.pids)
                await timed_run(f"shot {shots}")
            for tree in (f"undisturbed {shots}", f"shot {shots}"):
                assert (await sandbox.run(tree, STEPS[:1])).status == "ok"
                sandbox.end_tree(tree)
            shots += 1


async def test_a_result_that_races_its_time_limit_is_whole_or_absent(sandbox, tree):
    step = "import time\ntime.sleep(0.05)\nprint('said', flush=True)\n7"
    for thousandths in range(40, 72, 2):
        outcome = await sandbox.run(tree, [step], Limits(wall_seconds=thousandths / 1000))
        assert (outcome.status, outcome.value) in [("ok", "7"), ("timeout", "")]
        assert outcome.stdout in ("", "said\n")
        sandbox.end_tree(tree)


FORGE = """
import ctypes, errno
syscall = ctypes.CDLL(None, use_errno=True).syscall
syscall(56 if __import__('platform').machine() == 'x86_64' else 220, 0x8011, 0, 0, 0, 0)
"""


async def test_without_its_listener_no_confined_process_can_fork_again():
    """As when the worker is gone, and before its death has been noticed."""
    async with open_sandbox(Options(greeting_seconds=1.0)) as sandbox:
        zygote = await sandbox.start("plain")
        wait, known = "import time\ntime.sleep(1)\n", sandbox.pids
        errors = []

        async def forge():
            outcome = await sandbox.run("forger", [wait + FORGE + "ctypes.get_errno()"])
            errors.append(outcome.value)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(forge)
            while sandbox.pids == known:  # noqa: ASYNC110
                await trio.sleep(0.01)
            before = members(zygote.root.pid)
            nothing, _ = os.pipe()
            os.dup2(nothing, zygote._launched.listener)  # the kernel sees the last copy closed
        assert errors == [str(ENOSYS)]
        with pytest.raises(SandboxError):
            await sandbox.run("other", ["1"])
        assert members(zygote.root.pid) <= before


WORKER = """
import trio
from workers.sandbox import Options, open_sandbox
async def main():
    async with open_sandbox(Options(slots=2, held_nodes=2000)) as sandbox:
        for number in range(1000):
            assert (await sandbox.run(str(number % 7), ["x = 1", f"y = {number}"])).status == "ok"
        assert sandbox.held == 1007, sandbox.held
        for number in range(0, 1000, 50):
            again = await sandbox.run(str(number % 7), ["x = 1", f"y = {number}", "x + y"])
            assert (again.value, again.reused_steps) == (str(number + 1), 2), again
        print(*sandbox.groups, flush=True)
        await trio.sleep_forever()
trio.run(main)
"""


@pytest.mark.slow  # makes a thousand processes
async def test_a_thousand_live_nodes_all_answer_and_all_die_with_their_worker():
    with subprocess.Popen([sys.executable, "-c", WORKER], stdout=subprocess.PIPE) as worker:
        [group] = map(int, worker.stdout.readline().split())
        assert len(members(group)) >= 1000
        worker.kill()
        with trio.fail_after(60):
            while members(group):  # noqa: ASYNC110
                await trio.sleep(0.1)
