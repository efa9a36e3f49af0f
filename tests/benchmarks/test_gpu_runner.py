"""The runner of `benchmarks.gpu`, with parts that go wrong in every way."""

import os
from pathlib import Path

import pytest

from benchmarks.gpu.findings import Finding
from benchmarks.gpu.place import Place
from benchmarks.gpu.plan import DONE, READY, Part
from benchmarks.gpu.runner import Runner

LIMIT = 300.0


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(
        folder=str(tmp_path),
        launch="",
        base="demo",
        ports={"policy": 1, "ppm": 2},
        on_card=False,
        short=True,
        parts="tests.benchmarks.gpu_parts",
    )


async def said(place: Place, *parts: Part, limit: float = LIMIT) -> dict[str, str]:
    outcomes = await Runner(place, {"sglang"}, limit, patience=1.0).run(parts)
    return {outcome.part.name: outcome.said for outcome in outcomes}


async def test_a_part_that_goes_wrong_is_told_in_its_row_and_stops_no_other(place: Place) -> None:
    parts = [Part("fails", 60), Part("dies", 60), Part("hangs", 2), Part("fine", 60)]
    assert await said(place, *parts) == {
        "fails": "failed: the server has gone",
        "dies": "failed: SIGKILL, perhaps for want of memory",
        "hangs": "not done after 2 s",
        "fine": DONE,
    }


async def test_what_a_part_found_before_it_failed_is_kept(place: Place) -> None:
    (outcome,) = await Runner(place, (), LIMIT, 1.0).run([Part("fails", 60)])
    assert outcome.findings == [Finding("before", 1.0)]


async def test_speed_has_no_target_without_a_card(place: Place) -> None:
    (outcome,) = await Runner(place, (), LIMIT, 1.0).run([Part("fine", 60)])
    half, speed = outcome.findings
    assert (half.comparison, half.target) == (">=", 0.25)
    assert speed == Finding("speed", 2.0, "times")


async def test_a_part_that_stays_lives_until_its_last_user_is_done(place: Place) -> None:
    parts = [
        Part("stays", 60, stays=True),
        Part("uses", 60, after=("stays",)),
        Part("fine", 60),
    ]
    outcomes = await Runner(place, (), LIMIT, 1.0).run(parts)
    assert [outcome.said for outcome in outcomes] == [READY, DONE, DONE]
    (pid,) = outcomes[0].findings
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.value), 0)


async def test_what_uses_a_part_that_failed_is_not_run(place: Place) -> None:
    found = await said(place, Part("fails", 60), Part("fine", 60, after=("fails",)))
    assert found["fine"] == "not run: it uses what fails gives"


async def test_nothing_is_begun_when_the_time_is_over(place: Place) -> None:
    assert await said(place, Part("fine", 60), limit=30) == {"fine": "not run: no time was left"}
