"""A pulse is felt while somebody beats, and not otherwise."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trio.testing

from rstar_async.errors import BadInput
from rstar_async.telemetry import heartbeat


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "pulse"
    heartbeat.begin(None)


def test_nothing_is_felt_before_the_first_beat(file: Path) -> None:
    heartbeat.begin(file)
    assert not file.exists()
    heartbeat.beat()
    assert file.exists()


def test_beats_are_at_most_one_a_second(file: Path) -> None:
    heartbeat.begin(file)
    heartbeat.beat()
    file.unlink()
    heartbeat.beat()
    assert not file.exists()


async def test_a_loop_that_turns_beats(file: Path) -> None:
    heartbeat.begin(file)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(heartbeat.keep)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert await trio.Path(file).exists()


def test_without_a_file_a_beat_is_nothing(file: Path) -> None:
    heartbeat.begin(None)
    heartbeat.beat()
    assert not file.exists()


def test_a_place_that_cannot_be_written_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"cannot write the pulse .*nowhere"):
        heartbeat.begin(tmp_path / "nowhere" / "pulse")
