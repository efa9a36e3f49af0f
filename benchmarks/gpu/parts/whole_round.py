"""A round from the first request to the last measurement, by `rstar run` with its own servers.

On a card servers and trainer take turns on it (`sglang.share_device`).
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.gpu.findings import Findings
from benchmarks.gpu.place import POLICY, PPM, Place
from rstar_async.errors import RstarError

MINUTE = 60.0
GRACE_SECONDS = 8.0
RECIPE = """
name = "whole-round"
home = {home}
[model]
base = {base}
[bootstrap]
kind = {kind}
demonstrations = 240
levels = [1, 2, 3]
[problems]
source = "generated"
heldout_levels = [1, 2, 3]
[search]
rollouts = 4
candidates = 4
max_tokens = 48
temperature = 0.8
in_flight = 64
[[rounds]]
problems = {problems}
levels = [1, 2, 3]
[policy]
learning_rate = 1e-4
batch_size = 8
micro_batch = 8
[ppm]
min_steps = 0
learning_rate = 5e-5
[evaluation]
problems = {measured}
samples = 2
rollouts = 2
candidates = 2
[workers]
engine = "sglang"
[sglang]
launch = {launch}
port = {port}
policy_arguments = {policy_arguments}
ppm_arguments = {ppm_arguments}
share_device = {share}
"""


def measure(place: Place, findings: Findings) -> None:
    folder = place.home / "whole_round"
    folder.mkdir()
    result = _run(folder, recipe_of(place, folder / "home"))
    (found,) = [row for row in result["rounds"] if row["number"] == 1]
    findings.note("minutes", result["seconds"] / MINUTE, "min")
    findings.claim("failed searches", found["failed_searches"], "", "==", 0)
    findings.note("problems solved", f"{found['solved']} of {found['problems']}")
    findings.note("tokens searched with", found["tokens"])
    findings.claim("models published", _published(found), "", "==", 2)
    findings.claim("reachable tokens served from cache", found["cached_share"], "share", ">=", 0.95)


def _published(found: Mapping[str, Any]) -> int:
    """How many of policy and PPM the round has trained."""
    return sum(found[name] is not None for name in ("policy_id", "ppm_id"))


def recipe_of(place: Place, home: Path) -> str:
    """The demo's base knows the format already; any other one learns it from demonstrations."""
    values = {
        "home": str(home),
        "base": place.base,
        "kind": "checkpoint" if place.base == "demo" else "demonstrations",
        "problems": 64 if place.on_card and not place.short else 8,
        "measured": 24 if place.on_card and not place.short else 4,
        "launch": place.launch if place.launches_otherwise else "",
        "port": min(place.ports.values()),
        "policy_arguments": list(place.command(POLICY).arguments),
        "ppm_arguments": list(place.command(PPM).arguments),
        "share": place.on_card,
    }
    return RECIPE.format(**{name: json.dumps(value) for name, value in values.items()})


def _run(folder: Path, recipe: str) -> Mapping[str, Any]:
    """What `rstar run --json` writes; the run is stopped in order if this process is."""
    file, result = folder / "recipe.toml", folder / "result.json"
    file.write_text(recipe)
    command = [sys.executable, "-m", "rstar_async.cli", "run", str(file), "--json", str(result)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as run:
        try:
            code = run.wait()
        except KeyboardInterrupt:
            run.terminate()
            run.wait(GRACE_SECONDS)
            raise
    if code != 0:
        raise RstarError(f"rstar run ended with exit code {code}")
    document: Mapping[str, Any] = json.loads(result.read_text())
    return document
