"""The search of the part `search` on a server without a prefix cache."""

from pathlib import Path

from benchmarks.gpu.findings import Findings
from benchmarks.gpu.place import POLICY, Place
from benchmarks.gpu.searching import kept, run_search, searched
from workers.engines.sglang.engine import SGLangEngine
from workers.engines.sglang.managed import ManagedServer
from workers.engines.sglang.role import POLICY as POLICY_ROLE


def measure(place: Place, findings: Findings) -> None:
    def without_cache(models: Path) -> SGLangEngine:
        command = place.command(POLICY, "--disable-radix-cache")
        server = ManagedServer(POLICY_ROLE, command, place.ports[POLICY])
        return SGLangEngine(models, server, POLICY)

    off = searched(run_search(place, "cache_off", without_cache, shared=False))
    on = kept(place)
    times = off.prefilled_share / on.prefilled_share
    findings.claim("tokens prefilled, off / on", times, "times", ">=", 3)
    findings.note("without a cache", off.rate, "tokens/s")
    findings.note("with", on.rate, "tokens/s")
    findings.claim_on_card("with / without", on.rate / off.rate, "times", ">=", 3)
