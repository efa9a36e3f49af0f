"""The search of `benchmarks.gpu` with the local engine, whose samples follow from their seeds."""

import shutil
from functools import partial
from pathlib import Path

import pytest
import trio

from benchmarks.gpu.lockstep import Lockstep
from benchmarks.gpu.place import POLICY, Place
from benchmarks.gpu.recording import RecordingEngine, answers_alone
from benchmarks.gpu.searching import run_search, searched, size_of
from benchmarks.one_process import DEMO
from rstar_async.search.pools import Pools

pytestmark = pytest.mark.slow  # three times the samples of twelve searches


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(
        folder=str(tmp_path),
        launch="",
        base="demo",
        ports={"policy": 1, "ppm": 2},
        on_card=False,
        short=True,
    )
    folder = shutil.copytree(DEMO, place.models / POLICY)
    (folder / "manifest.json").write_text('{"prompt_style": "tagged"}')
    return place


def local(models: Path) -> RecordingEngine:
    from workers.engines.local.engine import LocalEngine
    from workers.engines.local.settings import LocalSettings

    return RecordingEngine(LocalEngine(models, LocalSettings(cache_mib=256, threads=1)))


async def alone(place: Place, recorded: RecordingEngine) -> int:
    async with local(place.models) as engine:
        answers = await answers_alone(engine, recorded.requests, at_once=6)
    return sum(answer.tokens for answer in answers)


def test_a_barrier_and_the_engine_alone_have_the_same_work_as_the_search(place: Place) -> None:
    engines: list[RecordingEngine] = []
    size = size_of(place)

    def recording(models: Path) -> RecordingEngine:
        engines.append(local(models))
        return engines[-1]

    def in_lockstep(pools: Pools) -> Pools:
        held = Lockstep(pools.inference, size.problems, size.in_flight)
        return Pools(held, pools.executor, pools.reward)

    free = searched(run_search(place, "free", recording))
    held = searched(run_search(place, "held", recording, in_lockstep))
    assert free.new_tokens > 1000
    assert held.new_tokens == pytest.approx(free.new_tokens, rel=0.02)
    assert len(engines[1].requests) == pytest.approx(len(engines[0].requests), rel=0.02)
    assert sum(answer.tokens for answer in engines[0].answers) == free.new_tokens
    assert trio.run(partial(alone, place, engines[0])) == pytest.approx(free.new_tokens, rel=0.02)
