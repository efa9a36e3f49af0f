"""Nothing of a job outlives its limits: who does not answer is killed, and its strangers are.

The sandboxes here would wait much longer for a greeting of their own zygote.
"""

import os
import platform
import signal
import tempfile

import pytest
import trio

from workers.sandbox import KilledByKernel, Limits, Options, open_sandbox, policy

from .forging import FORGE_SUCCESS, IN_PLACE_OF_A_CHILD

PATIENCE = 40.0
CLONE = policy.NUMBERS["clone"][0 if platform.machine() == "x86_64" else 1]
LIMITS = Limits(wall_seconds=1.5, cpu_seconds=1.0)
CANNOT_BE_CONTINUED = "the state that these steps leave behind cannot be continued"


@pytest.fixture
async def patient():
    async with open_sandbox(Options(slots=2, greeting_seconds=PATIENCE)) as sandbox:
        yield sandbox


async def run_in_time(sandbox, steps, limits=LIMITS):
    began = trio.current_time()
    outcome = await sandbox.run("t", steps, limits)
    assert trio.current_time() - began < PATIENCE / 2
    return outcome


async def no_strangers(sandbox):
    with trio.fail_after(PATIENCE / 2):
        while sandbox.unknown_processes:  # noqa: ASYNC110
            await trio.sleep(0.05)


def instead(action):
    return IN_PLACE_OF_A_CHILD.format(clone=CLONE, instead=action)


@pytest.mark.parametrize("busy", ["while True: pass", "import time\ntime.sleep(1000)"])
async def test_a_program_that_forges_its_report_and_goes_on_is_killed_in_time(patient, busy):
    assert (await run_in_time(patient, [FORGE_SUCCESS + busy])).status == "ok"
    outcome = await run_in_time(patient, [FORGE_SUCCESS + busy, "1"])
    assert (outcome.status, outcome.step) == ("died", 0)
    assert outcome.error_message == CANNOT_BE_CONTINUED
    assert patient.held == 0


async def test_an_earlier_step_that_cannot_be_continued_is_judged_too(patient):
    """When the steps after it are run again, from the last state that is held."""
    busy = FORGE_SUCCESS + "while True: pass"
    assert (await run_in_time(patient, [busy])).status == "ok"
    outcome = await run_in_time(patient, [busy, "x = 1", "y = 2", "x + y"])
    assert (outcome.status, outcome.step) == ("died", 0)


async def test_a_program_that_forges_its_report_and_exits_is_not_run_for_ever(patient):
    step = FORGE_SUCCESS + "import os\nos._exit(0)"
    assert (await run_in_time(patient, [step])).status == "ok"
    outcome = await run_in_time(patient, [step, "1"])
    assert (outcome.status, outcome.error_message) == ("died", CANNOT_BE_CONTINUED)


@pytest.mark.parametrize(
    "action",
    [
        "time.sleep(1000)",
        "os.write(child, b'hello')",  # itself is no child
        "os.write(child, b'refused')",  # a lie
        "os._exit(0)",
        "[os.close(number) for number in (child, output)]",
    ],
)
async def test_a_program_that_brings_no_child_is_judged_in_time(patient, action):
    assert (await run_in_time(patient, [instead(action)])).status == "ok"
    outcome = await run_in_time(patient, [instead(action), "1"])
    assert (outcome.status, outcome.step) == ("died", 0)
    assert (await patient.run("other", ["6 * 7"])).value == "42"


@pytest.mark.parametrize("parent", ["time.sleep(1000)", "os._exit(0)", "1"])
async def test_a_stranger_made_with_a_stolen_permit_is_killed(patient, parent):
    """Also if its parent is gone, or serves the request as if nothing were."""
    action = f"[time.sleep(1000) for _ in [1] if fork() == 0]; {parent}"
    assert (await run_in_time(patient, [instead(action)])).status == "ok"
    outcome = await run_in_time(patient, [instead(action), "1"])
    assert (outcome.status, outcome.step) == ("died", 0)
    await no_strangers(patient)


async def test_the_time_until_a_child_counts_as_its_own(patient):
    """A parent cannot use up the limits, and then its child once more."""
    step = instead("time.sleep(0.8)")
    limits = Limits(wall_seconds=1.2, cpu_seconds=1.2)
    assert (await run_in_time(patient, [step], limits)).status == "ok"
    outcome = await run_in_time(patient, [step, "import time\ntime.sleep(0.8)"], limits)
    assert outcome.error_message == "more than 1.2 s of wall time"


async def test_a_child_killed_before_its_hello_is_made_again(patient):
    """The program is innocent: something else killed it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)
        slow = "fork() == 0 or [os.close(number) for number in (child, output)]"
        action = f"[time.sleep(1000) for _ in [1] if os.path.exists({folder!r}) and ({slow})]"
        steps, outcomes = [instead(action), "6 * 7"], []
        assert (await patient.run("t", steps[:1])).status == "ok"

        async def run():
            outcomes.append(await patient.run("t", steps))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(run)
            with trio.fail_after(PATIENCE / 2):
                while not (unknown := patient.unknown_processes):  # noqa: ASYNC110
                    await trio.sleep(0.01)
            os.rmdir(folder)
            for pid in unknown:
                os.kill(pid, signal.SIGKILL)
    assert [(outcome.status, outcome.value) for outcome in outcomes] == [("ok", "42")]


WAITS = "import time\ntime.sleep(0.3)\n'done'"


async def murder(sandbox, known, times):
    """Kill the next processes that appear, as many as asked for."""
    for _ in range(times):
        while not (new := sandbox.pids - known):  # noqa: ASYNC110
            await trio.sleep(0.01)
        await trio.sleep(0.05)  # it has said hello, and runs its step
        for pid in new:
            os.kill(pid, signal.SIGKILL)
        while new & sandbox.pids:  # noqa: ASYNC110
            await trio.sleep(0.01)


async def test_a_program_that_the_kernel_kills_is_run_again_with_nothing_beside_it(patient):
    for number in range(3):
        await patient.run("held", [f"x = {number}"])
    assert patient.held == 3
    outcomes = []

    async def run():
        outcomes.append(await patient.run("t", [WAITS]))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(murder, patient, patient.pids, 1)
        nursery.start_soon(run)
    assert [(outcome.status, outcome.value) for outcome in outcomes] == [("ok", "'done'")]
    assert (patient.held, patient.statistics.killed) == (1, 1)


async def test_a_program_that_runs_alone_waits_for_the_others_and_they_for_it(patient):
    clock = "import time\na = time.monotonic()\ntime.sleep({})\na, time.monotonic()"
    spans = {}

    async def run(name, seconds):
        spans[name] = eval((await patient.run(name, [clock.format(seconds)])).value)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(murder, patient, patient.pids, 1)
        nursery.start_soon(run, "killed", 0.2)
        await trio.sleep(0.01)
        while not patient.statistics.killed:  # noqa: ASYNC110
            await trio.sleep(0.01)
        for number in range(3):
            nursery.start_soon(run, str(number), 0.2)
    begin, end = spans.pop("killed")
    assert all(
        other_end <= begin or end <= other_begin for other_begin, other_end in spans.values()
    )


async def test_a_program_killed_though_it_ran_alone_is_the_workers_failure_not_its_own(patient):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(murder, patient, patient.pids, 2)
        with pytest.raises(KilledByKernel, match="ran alone: give this worker more memory"):
            await patient.run("t", [WAITS])
    assert (await patient.run("t", ["1"])).value == "1"
