"""The executor's answers, from the bytes of a job to the bytes of its result."""

import msgspec
import pytest
import trio

from rstar_async.errors import BadInput
from rstar_async.wire.payloads import Execute, Executed, Limits
from workers.executor import Executor, normal_form, serve_executor
from workers.sandbox import Options, open_sandbox
from workers.station import Job


@pytest.fixture
async def executor():
    async with open_sandbox(Options(slots=2)) as sandbox:
        yield Executor(sandbox)


def job(request, group="group"):
    body = msgspec.msgpack.encode(request)
    return Job(id=b"id", attempt=1, group=group, affinity="", deadline=60.0, body=body)


async def answer(executor, *steps, **more):
    body = await executor.handle(job(Execute("tree", list(steps), **more)))
    return msgspec.msgpack.decode(body, type=Executed)


async def test_a_job_is_decoded_run_and_its_result_encoded(executor):
    result = await answer(executor, "x = 1", "print('∑\0')\nx + 1")
    assert (result.status, result.stdout, result.value) == ("ok", "∑\0\n", "2")
    assert result.cpu_seconds > 0


async def test_a_failing_program_is_an_answer(executor):
    result = await answer(executor, "x = 1", "\n1 / 0")
    assert (result.status, result.error_type) == ("exception", "ZeroDivisionError")
    assert (result.step, result.line) == (1, 2)


async def test_the_jobs_limits_are_obeyed(executor):
    result = await answer(executor, "while True: pass", limits=Limits(wall_seconds=0.2))
    assert (result.status, result.step) == ("timeout", 0)


@pytest.mark.parametrize(
    "hostile", ["'\\ud800'", "print('\\udc80')", "raise ValueError('\\udfff')"]
)
async def test_every_result_can_be_encoded(executor, hostile):
    await answer(executor, hostile)


async def test_a_malformed_job_is_an_error(executor):
    with pytest.raises(msgspec.DecodeError):
        await executor.handle(Job(b"id", 1, "g", "", 60.0, b"\xc1"))
    with pytest.raises(ValueError, match="at least one step"):
        await executor.handle(job(Execute("tree", [])))


async def test_the_snapshots_of_a_group_go_with_it(executor):
    await answer(executor, "x = 1")
    assert (await answer(executor, "x = 1", "x")).reused_steps == 1
    await executor.group_ended("group")
    assert (await answer(executor, "x = 1", "x")).reused_steps == 0


async def test_twins_in_flight_run_once(executor):
    steps = [
        "import time\ntime.sleep(0.2)\nprint(7)",
        "# why\nimport time\ntime.sleep( 0.2 )\n\nprint(7)",
    ]
    results = []

    async def ask(step):
        results.append(await answer(executor, step))

    async with trio.open_nursery() as nursery:
        for step in steps:
            nursery.start_soon(ask, step)
    assert [result.stdout for result in results] == ["7\n", "7\n"]
    assert (executor.answered, executor.shared) == (2, 1)


async def test_a_failed_twin_is_not_shared(executor):
    lines = []

    async def ask(step):
        lines.append((await answer(executor, step)).line)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask, "1 / 0")
        nursery.start_soon(ask, "\n\n1 / 0")
    assert sorted(lines) == [1, 3]
    assert executor.shared == 0


async def test_a_cancelled_twin_leaves_the_other_to_run(executor):
    step = "import time\ntime.sleep(0.3)\n5"
    async with trio.open_nursery() as nursery:
        scope = trio.CancelScope()

        async def leader():
            with scope:
                await answer(executor, step)

        nursery.start_soon(leader)
        await trio.sleep(0.1)
        nursery.start_soon(lambda: after(0.05, scope.cancel))
        assert (await answer(executor, step)).value == "5"


async def after(seconds, action):
    await trio.sleep(seconds)
    action()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("x = 1", "x  =  1  # one", True),
        ("# a\nx = 1\n\n\ny = 2", "x = 1\ny = 2", True),
        ("if a:\n  b", "if a:\n        b", True),
        ("if a:\n  b\nc", "if a:\n  b\n  c", False),
        ("x = 'a  b'", "x = 'a b'", False),
        ("x = (", "x = ( ", False),
    ],
)
def test_programs_are_twins_if_they_differ_in_comments_and_spacing_only(one, other, same):
    first, second = (normal_form(Execute("t", ["a", step])) for step in (one, other))
    assert (first == second) == same


def test_programs_of_other_trees_prefixes_or_limits_are_no_twins():
    base = Execute("t", ["a", "b"])
    others = [Execute("u", ["a", "b"]), Execute("t", ["a ", "b"]), Execute("t", ["b"])]
    others.append(Execute("t", ["a", "b"], Limits(wall_seconds=1)))
    assert normal_form(base) not in [normal_form(other) for other in others]


async def test_a_worker_whose_sandbox_cannot_be_locked_refuses_in_one_line():
    with pytest.raises(BadInput, match="cannot confine programs here") as refusal:
        await serve_executor("ipc:///nowhere", "w", options=Options(python="/bin/false"))
    assert "\n" not in str(refusal.value)
