"""Does a model that trains on its own verified solutions get better, and because of them?

Runs a recipe once per seed, and beside it a control of the same rounds and as many SFT rows, drawn
from the bootstrap's demonstrations instead. Both are ordinary runs of `rstar run`.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.report import Report, open_report

MINUTE = 60.0


def main(arguments: list[str] | None = None) -> int:
    """Run all seeds and claim that the last round is above the bootstrap and the control."""
    report = open_report(__doc__, arguments, _options())
    seeds = range(1, 1 + (1 if report.short else report.options.seeds))
    with tempfile.TemporaryDirectory(prefix="self-evolution-") as scratch:
        pairs = [_seed(report, Path(scratch), seed) for seed in seeds]
    _claim(report, [own for own, _ in pairs], [control for _, control in pairs])
    return report.close()


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3, help="runs, each with its control")
    parser.add_argument("--recipe", type=Path, default=Path("recipes/demo.toml"))
    return parser


def _seed(report: Report, scratch: Path, seed: int) -> tuple[list[float], list[float]]:
    """pass@1 of the policy by round, of the run and of its control."""
    recipe: Path = report.options.recipe
    own = _run(recipe, scratch, f"seed-{seed}", "--seed", str(seed))
    rows = str(max(r["rows"] or 0 for r in own["rounds"]))
    control = _run(
        recipe,
        scratch,
        f"control-{seed}",
        *("--seed", str(seed), "--policy.learn_from", "demonstrations"),
        *("--policy.replay", rows, "--search.rollouts", "1", "--evaluation.search", "false"),
        *("--ppm.train", "false"),
    )
    for name, run in (("own solutions", own), ("control", control)):
        for round_ in run["rounds"]:
            report.row(
                seed=seed, trained_on=name, minutes=run["seconds"] / MINUTE, **_cells(round_)
            )
    return _rates(own), _rates(control)


def _run(recipe: Path, scratch: Path, name: str, *settings: str) -> dict[str, Any]:
    file = scratch / f"{name}.json"
    command = [sys.executable, "-m", "rstar_async.cli", "run", str(recipe), "--name", name]
    places = ["--home", str(scratch / name), "--json", str(file)]
    subprocess.run([*command, *places, *settings], check=True, stdout=subprocess.DEVNULL)
    document: dict[str, Any] = json.loads(file.read_text())
    return document


def _cells(round_: dict[str, Any]) -> dict[str, Any]:
    low, high = round_["policy_interval"]
    return {
        "round": round_["number"],
        "solved": round_["solved"],
        "problems": round_["problems"],
        "policy_pass_at_1": round_["policy_pass_at_1"],
        "low": low,
        "high": high,
        "search_pass_at_1": round_["search_pass_at_1"],
        "pair_accuracy": round_["pair_accuracy"],
    }


def _rates(run: dict[str, Any]) -> list[float]:
    return [round_["policy_pass_at_1"] for round_ in run["rounds"]]


def _claim(report: Report, own: Sequence[list[float]], control: Sequence[list[float]]) -> None:
    gained = [100 * (rates[-1] - rates[0]) for rates in own]
    ahead = [100 * (mine[-1] - theirs[-1]) for mine, theirs in zip(own, control, strict=True)]
    report.claim("smallest gain over the bootstrap", min(gained), "points", ">", 0)
    report.claim("mean gain over the bootstrap", statistics.mean(gained), "points", ">=", 5)
    report.claim("smallest lead over the control", min(ahead), "points", ">", 0)
    report.claim("mean lead over the control", statistics.mean(ahead), "points", ">=", 5)


if __name__ == "__main__":
    raise SystemExit(main())
