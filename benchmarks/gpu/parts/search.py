"""A search beside the engine alone: the same requests in the same order, as many at once.

Brokers, search, store and the engine's client share one process here, which a run's do not; so the
share is the least that a run reaches.
"""

from functools import partial
from pathlib import Path

import trio

from benchmarks.gpu.findings import Findings
from benchmarks.gpu.place import Place
from benchmarks.gpu.recording import RecordingEngine, answers_alone, steady_rate
from benchmarks.gpu.searching import (
    attached,
    forget,
    keep,
    run_search,
    searched,
    size_of,
)

HOUR = 3600.0


def measure(place: Place, findings: Findings) -> None:
    size, engines = size_of(place), list[RecordingEngine]()

    def recording(models: Path) -> RecordingEngine:
        engines.append(RecordingEngine(attached(place, models)))
        return engines[0]

    trio.run(forget, place)
    spent = run_search(place, "search", recording)
    keep(place, searched(spent))
    findings.note("problems", size.problems)
    findings.note("requests at once", size.at_once)
    findings.note("problems an hour", size.problems * HOUR / spent.seconds, "problems/h")
    share = spent.cached / spent.reachable
    findings.claim("reachable tokens served from cache", share, "share", ">=", 0.95)
    alone = trio.run(partial(_alone_rate, place, engines[0]))
    search = steady_rate(engines[0].answers)
    findings.note("search", search, "tokens/s")
    findings.note("the engine alone", alone, "tokens/s")
    findings.claim_on_card("search / engine alone", search / alone, "share", ">=", 0.9)


async def _alone_rate(place: Place, recorded: RecordingEngine) -> float:
    await forget(place)
    async with attached(place, place.models) as engine:
        at_once = size_of(place).at_once
        return steady_rate(await answers_alone(engine, recorded.requests, at_once))
