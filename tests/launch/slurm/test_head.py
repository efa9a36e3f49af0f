from pathlib import Path

import pytest
import trio
from msgspec import structs

from rstar_async.errors import BadInput
from rstar_async.launch.home import write_private
from rstar_async.launch.lock import RunLock
from rstar_async.launch.processes import ProcessSpec
from rstar_async.launch.slurm.head import SUPERSEDED, Claim, claim_file, lock_once_free, run_claimed

CLAIM = Claim(job="5", restart=0, host="n1", pid=1)
ENDLESS = ProcessSpec(name="endless", argv=("sleep", "1000"))
SHORT = ProcessSpec(name="short", argv=("true",), ends_run=True)


async def test_a_start_ends_with_its_processes(tmp_path: Path) -> None:
    write_private(claim_file(tmp_path), CLAIM)
    assert await run_claimed([SHORT, ENDLESS], tmp_path / "logs", CLAIM) == 0


async def test_a_start_that_still_lives_when_the_job_was_started_again_stops(
    tmp_path: Path,
) -> None:
    write_private(claim_file(tmp_path), CLAIM)
    codes = []

    async def run() -> None:
        codes.append(await run_claimed([ENDLESS], tmp_path / "logs", CLAIM))

    with trio.fail_after(300):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(run)
            while not (tmp_path / "logs" / "endless.log").exists():  # noqa: ASYNC110
                await trio.sleep(0.05)
            write_private(claim_file(tmp_path), structs.replace(CLAIM, restart=1, host="n2"))
    assert codes == [SUPERSEDED]


def test_the_lock_of_a_start_that_does_not_end_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    with (
        RunLock(tmp_path),
        pytest.raises(BadInput, match="already going on"),
        lock_once_free(tmp_path, seconds=0.0),
    ):
        pass


def test_the_lock_is_free_again_after_its_start(tmp_path: Path) -> None:
    with lock_once_free(tmp_path):
        pass
    with RunLock(tmp_path):
        pass
