"""A managed server: weights exchanged in place, a restart for other shapes, a noticed death."""

import os
import signal
from pathlib import Path

import pytest
import trio

from rstar_async.engines.errors import EngineFailed, ModelUnavailable
from rstar_async.launch.linux import children
from rstar_async.wire.payloads import Generate, Sampling
from tests.workers.engines.sglang.server import LAUNCH, PROGRAM
from workers.engines.sglang.command import Command
from workers.engines.sglang.engine import SGLangEngine
from workers.engines.sglang.managed import ManagedServer
from workers.engines.sglang.role import POLICY

PROMPT = list(range(30, 70))


@pytest.mark.slow  # two servers, one after the other
@pytest.mark.sglang
@pytest.mark.skipif(not PROGRAM, reason="RSTAR_TEST_SGLANG is not set")
async def test_a_managed_server_serves_every_version_and_leaves_no_process(
    tmp_path: Path,
) -> None:
    from tests.workers.engines import oracle
    from tests.workers.engines.sglang.models import write_policies

    write_policies(tmp_path)
    before = {child.pid for child in children(os.getpid())}
    pids: list[int] = []
    with pytest.RaisesGroup(
        pytest.RaisesExc(EngineFailed, match="SIGKILL"),
        allow_unwrapped=True,
        flatten_subgroups=True,
    ):
        async with SGLangEngine(tmp_path, ManagedServer(POLICY, Command(LAUNCH))) as engine:
            for version in ("first", "second", "narrow"):
                request = Generate(version, PROMPT, 1, 5, Sampling(temperature=0.0, max_tokens=12))
                reply = await engine.generate(request)
                assert reply.samples[0].tokens == oracle.greedy(tmp_path / version, PROMPT, 12)
                pids += [c.pid for c in children(os.getpid()) if c.pid not in before]
            os.kill(pids[-1], signal.SIGKILL)
            with trio.fail_after(30):
                await trio.sleep_forever()
    assert pids[0] == pids[1] != pids[2]
    assert {child.pid for child in children(os.getpid())} <= before


async def test_a_program_that_ends_at_once_fails_without_waiting(tmp_path: Path) -> None:
    from tests.workers.engines.sglang.models import write_policies

    write_policies(tmp_path)
    command = Command("false {model} {port}")
    async with SGLangEngine(tmp_path, ManagedServer(POLICY, command)) as engine:
        with pytest.raises(ModelUnavailable, match="ended with it"), trio.fail_after(30):
            await engine.generate(Generate("first", PROMPT, 1, 5, Sampling()))
