"""Whichever process dies: no process is left, and the sandbox recovers where it can."""

import os
import signal
import subprocess
import sys

import pytest
import trio

from workers.sandbox import Options, SandboxError, Unconfinable, open_sandbox
from workers.sandbox.process_group import members
from workers.sandbox.selftest.doctor import self_test

WORKER = """
import os, sys, trio
from workers.sandbox import open_sandbox
async def main():
    async with open_sandbox() as sandbox:
        for number in range({nodes}):
            await sandbox.run(str(number), ["x = 1"])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sandbox.run, "busy", ["while True: pass"])
            await trio.sleep(0.2)
            print(*sandbox.pids, flush=True)
            await trio.sleep_forever()
trio.run(main)
"""

popen = subprocess.Popen  # blocking, which is all right here


def alive(pids):
    return {pid for pid in pids if is_alive(pid)}


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def gone(pids):
    with trio.fail_after(10):
        while alive(pids):  # noqa: ASYNC110
            await trio.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_killed_worker_leaves_no_process(number):
    command = [sys.executable, "-c", WORKER.format(nodes=30)]
    with popen(command, stdout=subprocess.PIPE, text=True) as worker:
        pids = {int(pid) for pid in worker.stdout.readline().split()}
        assert len(alive(pids)) >= 33
        worker.send_signal(number)
        await gone(pids)


async def test_works_with_an_empty_environment_and_closed_stdin():
    command = [sys.executable, "-c", WORKER.format(nodes=1)]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with popen(command, env={}, text=True, cwd="/", **quiet) as worker:
        assert len(worker.stdout.readline().split()) >= 4
        worker.kill()


async def test_closing_leaves_no_process_even_with_runs_under_way():
    async with trio.open_nursery() as nursery, open_sandbox(Options(slots=4)) as sandbox:
        for number in range(5):
            await sandbox.run(str(number), ["x = 1"])
        nursery.start_soon(sandbox.run, "busy", ["while True: pass"])
        await trio.sleep(0.1)
        pids = sandbox.pids
        nursery.cancel_scope.cancel()
    assert alive(pids) == set()


async def test_a_cancelled_run_kills_its_process(sandbox, tree):
    await sandbox.run(tree, ["x = 1"])
    before = sandbox.pids
    with trio.move_on_after(0.2):
        await sandbox.run(tree, ["x = 1", "while True: pass"])
    await gone(sandbox.pids - before)
    assert (await sandbox.run(tree, ["x = 1", "x"])).reused_steps == 1


async def test_runs_cancelled_at_any_moment_leave_nothing(sandbox, tree):
    before = sandbox.pids
    for hundredths in range(30):
        with trio.move_on_after(hundredths / 2000):
            await sandbox.run(tree, ["x = 1", f"y = {hundredths}"])
    assert (await sandbox.run(tree, ["x = 1", "x"])).value == "1"
    sandbox.end_tree(tree)
    await gone(sandbox.pids - before)
    with trio.fail_after(10):
        while sandbox.unknown_processes:  # noqa: ASYNC110
            await trio.sleep(0.05)


SMUGGLE = """
import array, os, socket, sys
frame = sys._getframe(1)
while not hasattr(frame.f_locals.get("self"), "_control"): frame = frame.f_back
control = frame.f_locals["self"]._control
control.sendmsg([b"x"], [(1, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
"""


async def test_no_descriptor_is_lost_nor_smuggled_in(sandbox, tree):
    steps = ["x = 1", "1 / 0", "exit()", "print('x' * 10**6)", "import os; os._exit(3)", SMUGGLE]
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        outcomes = [await sandbox.run(tree, ["y = 1", step]) for step in steps]
        with trio.move_on_after(0.02):
            await sandbox.run(tree, ["y = 1", "while True: pass"])
        sandbox.end_tree(tree)
    assert [outcome.status for outcome in outcomes] == [
        *("ok", "exception", "ok", "output", "died", "died")
    ]
    with trio.fail_after(10):
        while len(os.listdir("/proc/self/fd")) > before:  # noqa: ASYNC110
            await trio.sleep(0.05)


async def test_a_dead_zygote_is_replaced_and_states_are_rebuilt():
    async with open_sandbox() as sandbox:
        await sandbox.run("t", ["x = 1"])
        zygote = await sandbox.start("plain")
        os.kill(zygote.root.pid, signal.SIGKILL)
        await zygote.root.exited.wait()
        assert (await sandbox.run("t", ["x = 1", "x"])).value == "1"
        assert (await sandbox.start("plain")) is not zygote
        await gone(members(zygote.root.pid))


async def test_a_run_under_way_when_its_zygote_dies_is_run_again():
    async with open_sandbox() as sandbox:
        zygote = await sandbox.start("plain")

        async def murder():
            await trio.sleep(0.2)
            os.kill(zygote.root.pid, signal.SIGKILL)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(murder)
            outcome = await sandbox.run("t", ["import time\ntime.sleep(0.4)\n5"])
        assert (outcome.status, outcome.value) == ("ok", "5")
        assert sandbox.statistics.starts == 2


async def test_a_dead_guard_takes_everything_with_it_and_is_replaced():
    async with open_sandbox() as sandbox:
        await sandbox.run("t", ["x = 1"])
        pids = sandbox.pids
        zygote = await sandbox.start("plain")
        os.kill(zygote._launched.process.pid, signal.SIGKILL)
        await zygote.root.exited.wait()
        assert (await sandbox.run("t", ["x = 1", "x"])).value == "1"
        await gone(pids)


async def test_a_hundred_nodes_are_held_and_all_can_be_continued():
    async with open_sandbox(Options(held_nodes=200)) as sandbox:
        for number in range(100):
            await sandbox.run("t", [f"x = {number}"])
        assert sandbox.held == 100
        outcome = await sandbox.run("t", ["x = 17", "x"])
        assert (outcome.value, outcome.reused_steps) == ("17", 1)


async def test_many_runs_at_once_keep_to_their_own_results():
    results = {}
    async with open_sandbox(Options(slots=3)) as sandbox:

        async def one(number):
            steps = [f"x = {number}", "y = x * 2", "print(x)\ny"]
            outcome = await sandbox.run(f"t{number % 4}", steps)
            results[number] = (outcome.stdout, outcome.value)

        async with trio.open_nursery() as nursery:
            for number in range(40):
                nursery.start_soon(one, number)
    assert results == {number: (f"{number}\n", str(number * 2)) for number in range(40)}


async def test_without_permits_programs_run_whole_and_cannot_fork():
    options = Options(slots=2, allow=["no-listener"])
    async with open_sandbox(options) as sandbox:
        assert not sandbox.confinement["plain"].fork_permits
        outcome = await sandbox.run("t", ["x = 1\nprint('a')", "print('b')\nx + 1"])
        assert (outcome.stdout, outcome.value, sandbox.held) == ("b\n", "2", 0)
        forge = "import ctypes\nctypes.CDLL(None).syscall(56, 0x8011, 0, 0, 0, 0)"
        assert (await sandbox.run("t", [forge])).value == "-1"
        failed = await sandbox.run("t", ["x = 1", "y = 2\n1 / 0", "3"])
        assert (failed.error_type, failed.step, failed.line) == ("ZeroDivisionError", 1, 2)


async def test_without_landlock_all_but_reading_is_still_denied():
    async with open_sandbox(Options(allow=["no-landlock"])) as sandbox:
        assert sandbox.confinement["plain"].landlock == 0
        assert await self_test(sandbox, reading=False) == []
        assert (await sandbox.run("t", ["open('/etc/passwd').close()"])).status == "ok"


async def test_only_known_protections_can_be_waived():
    with pytest.raises(ValueError, match="no-seccomp"):
        async with open_sandbox(Options(allow=["no-seccomp"])):
            pass


async def test_an_interpreter_that_does_not_start_is_named():
    with pytest.raises(SandboxError, match="/nonexistent/python"):
        async with open_sandbox(Options(python="/nonexistent/python")):
            pass
    with pytest.raises(Unconfinable, match="did not start"):
        async with open_sandbox(Options(python="/bin/false")):
            pass


async def test_an_error_of_the_caller_is_raised_unchanged():
    with pytest.raises(KeyError):
        async with open_sandbox():
            raise KeyError("mine")
