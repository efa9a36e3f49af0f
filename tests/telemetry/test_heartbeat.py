"""The heartbeat file is touched while the process beats, and not otherwise."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trio.testing

from rstar_async.errors import BadInput
from rstar_async.telemetry import heartbeat


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "heartbeat"
    heartbeat.begin(None)


def test_the_file_appears_with_the_first_beat(file: Path) -> None:
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


async def test_a_turning_loop_beats(file: Path) -> None:
    heartbeat.begin(file)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(heartbeat.keep)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert await trio.Path(file).exists()


def test_a_beat_without_a_file_does_nothing(file: Path) -> None:
    heartbeat.begin(None)
    heartbeat.beat()
    assert not file.exists()


def test_a_file_that_cannot_be_written_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"cannot write the heartbeat file .*nowhere"):
        heartbeat.begin(tmp_path / "nowhere" / "heartbeat")


def test_a_file_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    thesis = tmp_path / "thesis.txt"
    thesis.write_text("chapter 1")
    with pytest.raises(BadInput, match=r"thesis\.txt is no heartbeat file"):
        heartbeat.begin(thesis)
    assert thesis.read_text() == "chapter 1"


def test_the_file_of_an_earlier_process_is_removed(file: Path) -> None:
    file.touch()
    heartbeat.begin(file)
    assert not file.exists()
