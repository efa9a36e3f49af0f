"""Tree searches of other projects beside ours, each in an environment of its own.

`--peers FOLDER` has an environment for each, made by

    python -m venv FOLDER/treequest && FOLDER/treequest/bin/pip install treequest
    python -m venv FOLDER/reasoners && FOLDER/reasoners/bin/pip install llm-reasoners
    git clone -b rStar-math https://github.com/microsoft/rStar FOLDER/rstar
    python -m venv FOLDER/reference && FOLDER/reference/bin/pip install torch transformers tqdm \\
        omegaconf pydantic pebble termcolor timeout-decorator regex sympy latex2sympy2 \\
        word2number pyparsing antlr4-python3-runtime==4.11.1

A missing one is named and left out. The first two only keep a tree and choose in it; ours also
makes prompts, parses steps, verifies answers and makes the rows of the store.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.report import Report

SCRIPTS = Path(__file__).parent / "third_party"
NAMES = ("treequest", "reasoners", "reference")
CLONE = "rstar"
NODES, PATIENCE_SECONDS = 1000, 150


class Cost(NamedTuple):
    """What a script printed of one measurement."""

    name: str
    nodes: int
    seconds: float

    @property
    def us_per_node(self) -> float:
        return 1e6 * self.seconds / self.nodes


def measure_peers(report: Report, ours_us: float) -> None:
    """Rows of all that are installed, and the claim that ours costs less than the cheapest."""
    if report.options.peers is None:
        return
    folder = report.options.peers.absolute()
    costs = [cost for name in NAMES for cost in _measure(report, folder, name)]
    for cost in costs:
        report.row(parts=cost.name, nodes=cost.nodes, cpu_us_per_node=cost.us_per_node)
    if costs:
        cheapest = min(cost.us_per_node for cost in costs)
        report.claim("ours, search alone, against the cheapest", ours_us / cheapest, "x", "<", 1)


def _measure(report: Report, folder: Path, name: str) -> Iterator[Cost]:
    interpreter = folder / name / "bin" / "python"
    if not interpreter.exists():
        report.row(parts=f"{name}: not there")
        return
    command = list(map(str, (interpreter, SCRIPTS / f"of_{name}.py", NODES, folder / CLONE)))
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True
        )
    except (subprocess.SubprocessError, OSError) as error:
        report.row(parts=f"{name}: {_reason(error)}")
        return
    for line in done.stdout.splitlines():
        if line.count("\t") == 2:
            what, nodes, seconds = line.split("\t")
            yield Cost(what, int(nodes), float(seconds))


def _reason(error: Exception) -> str:
    """The last line of its error."""
    said = getattr(error, "stderr", None) or str(error)
    return str(said).strip().splitlines()[-1][:100]
