"""The executor's answers, from the bytes of a job to the bytes of its result."""

import msgspec
import pytest
import trio

from brokers.broker import Broker
from rstar_async.errors import BadInput
from rstar_async.wire.messages import job_id
from rstar_async.wire.payloads import Execute, Executed, Limits
from rstar_async.wire.pool import open_pool
from workers.executor import Executor, serve_executor
from workers.sandbox import Options, open_sandbox
from workers.worker import Job


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
    result = await answer(executor, "x = 1", "print('∑\\0')\nx + 1")
    assert (result.status, result.stdout, result.value) == ("ok", "∑\0\n", "2")
    assert result.cpu_seconds > 0


async def test_a_failing_program_is_an_answer(executor):
    result = await answer(executor, "x = 1", "\n1 / 0")
    assert (result.status, result.error_type) == ("exception", "ZeroDivisionError")
    assert (result.step, result.line) == (1, 2)


async def test_the_jobs_limits_are_obeyed(executor):
    result = await answer(executor, "while True: pass", limits=Limits(wall_seconds=0.2))
    assert (result.status, result.step) == ("timeout", 0)


@pytest.mark.parametrize("hostile", [r"'\ud800'", r"print('\udc80')", r"raise E('\udfff')"])
async def test_every_result_can_be_encoded(executor, hostile):
    assert "\\ud" in str(await answer(executor, "E = ValueError", hostile))


async def test_a_malformed_job_is_an_error(executor):
    with pytest.raises(msgspec.DecodeError):
        await executor.handle(Job(b"id", 1, "g", "", 60.0, b"\xc1"))
    with pytest.raises(ValueError, match="at least one step"):
        await executor.handle(job(Execute("tree", [])))


async def test_the_snapshots_of_a_group_are_dropped_when_it_ends(executor):
    await answer(executor, "x = 1")
    assert (await answer(executor, "x = 1", "x")).reused_steps == 1
    await executor.group_ended("group")
    assert (await answer(executor, "x = 1", "x")).reused_steps == 0


async def test_equal_programs_in_flight_run_once(executor):
    plain = "import time\ntime.sleep(0.2)\nprint(7)"
    steps = [plain, "# why\n" + plain.replace("0.2", " 0.2 ").replace("print", "\nprint")]
    results = []

    async def ask(step):
        results.append(await answer(executor, step))

    async with trio.open_nursery() as nursery:
        for step in steps:
            nursery.start_soon(ask, step)
    assert [result.stdout for result in results] == ["7\n", "7\n"]
    assert (executor.answered, executor.shared, executor.shared_share) == (2, 1, 0.5)


async def test_a_later_equal_program_gets_the_success_at_no_cost(executor):
    first = await answer(executor, "x = 1", "y = x + 1; print('y', y)")
    again = await answer(executor, "x = 1", 'y = (x + 1)  # so\nprint("y", y)')
    assert (again.status, again.stdout, executor.shared) == ("ok", first.stdout, 1)
    assert (first.reused_steps, again.reused_steps) == (0, 2)
    assert first.cpu_seconds > again.cpu_seconds == 0
    await executor.group_ended("group")
    assert (await answer(executor, "x = 1", "y = x + 1; print('y', y)")).reused_steps == 0


async def test_a_program_whose_success_was_shared_can_be_continued(executor):
    await answer(executor, "x = 1", "y = [x]")
    await answer(executor, "x = 1", "y = [ x ]")
    assert (await answer(executor, "x = 1", "y = [ x ]", "y")).value == "[1]"


async def test_a_failure_is_not_shared(executor):
    lines = []

    async def ask(step):
        lines.append((await answer(executor, step)).line)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask, "1 / 0")
        nursery.start_soon(ask, "\n\n1 / 0")
    assert sorted(lines) == [1, 3]
    assert executor.shared == 0


async def test_cancelling_one_of_two_equal_programs_lets_the_other_run(executor):
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


async def test_a_worker_that_cannot_confine_programs_refuses_in_one_line():
    with pytest.raises(BadInput, match="cannot confine programs here") as refusal:
        await serve_executor("ipc:///nowhere", "w", options=Options(python="/bin/false"))
    assert "\n" not in str(refusal.value)


async def test_programs_travel_through_a_real_broker_and_back(tmp_path):
    clients, workers = f"ipc://{tmp_path}/c", f"ipc://{tmp_path}/w"
    values = {}
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery, open_pool(clients, name="test") as pool:
            nursery.start_soon(Broker("executor", clients=clients, workers=workers).run)
            nursery.start_soon(serve_executor, workers, "worker", 2)

            async def ask(number):
                request = Execute("tree", ["x = 6", f"x * {number}"])
                body = msgspec.msgpack.encode(request)
                reply = await pool.ask(job_id(str(number)), body, group="tree", affinity="tree")
                values[number] = msgspec.msgpack.decode(reply.body, type=Executed).value

            async with trio.open_nursery() as asking:
                for number in range(8):
                    asking.start_soon(ask, number)
            nursery.cancel_scope.cancel()
    assert values == {number: str(6 * number) for number in range(8)}
