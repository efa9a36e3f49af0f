"""The search of the part `search` with a barrier after each step of all trees in flight."""

from functools import partial
from typing import Any

import trio

from benchmarks.gpu.findings import Findings
from benchmarks.gpu.lockstep import Lockstep
from benchmarks.gpu.place import Place
from benchmarks.gpu.searching import attached, forget, kept, run_search, searched, size_of
from rstar_async.search.pools import Pools


def measure(place: Place, findings: Findings) -> None:
    size = size_of(place)

    def in_lockstep(pools: Pools) -> Pools:
        held: Any = Lockstep(pools.inference, size.problems, size.in_flight)
        return Pools(held, pools.executor, pools.reward)

    trio.run(forget, place)
    held = searched(run_search(place, "barrier", partial(attached, place), in_lockstep))
    free = kept(place)
    findings.note("with a barrier", held.rate, "tokens/s")
    findings.note("without", free.rate, "tokens/s")
    findings.claim_on_card("without / with", free.rate / held.rate, "times", ">=", 2)
