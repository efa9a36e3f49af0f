"""Does training on its own verified solutions improve a model, compared with other training data?

Runs a recipe once per seed, and beside each run its controls: the same rounds with as many rows of
the bootstrap's demonstrations, or with any right solution in place of the search's best. All are
ordinary runs of `rstar run`. Gains and leads are differences on the same problems, pooled over all
seeds.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.differences import Difference, difference
from benchmarks.recipe_runs import run_recipe, runs_folder
from benchmarks.report import Report, open_report
from benchmarks.self_evolution.controls import NAMES, OWN, recipe_of, settings_of
from benchmarks.self_evolution.pass_rates import Measured, measured

MINUTE = 60.0
# By what the policies learnt from.
Seed: TypeAlias = Mapping[str, Measured]


def main(arguments: list[str] | None = None) -> int:
    """Run all seeds; claims that the last round beats the bootstrap and each control."""
    report = open_report(__doc__, arguments, _options())
    with runs_folder(report.options.keep) as folder:
        seeds = [dict(_runs(report, folder, number)) for number in _numbers(report)]
    _claim(report, "gain over the bootstrap", [(s[OWN].before, s[OWN].after) for s in seeds], 10)
    for control in report.options.controls:
        _claim_leads(report, control, seeds)
    return report.close()


def _numbers(report: Report) -> range:
    first = report.options.first_seed
    return range(first, first + (1 if report.short else report.options.seeds))


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3, help="runs, each with its controls")
    parser.add_argument("--first-seed", type=int, default=1, help="seed of the first of them")
    parser.add_argument("--recipe", type=Path, default=Path("recipes/demo.toml"))
    parser.add_argument("--controls", nargs="+", choices=NAMES, default=["demonstrations"])
    parser.add_argument(
        "--benchmarks",
        nargs="+",
        type=Path,
        default=[],
        help="files of other problems to measure the last policies on",
    )
    parser.add_argument(
        "--columns",
        nargs=2,
        metavar=("QUESTION", "ANSWER"),
        default=["question", "answer"],
        help="columns of these files",
    )
    parser.add_argument(
        "--keep", type=Path, help="folder for the runs; runs that are there are resumed"
    )
    return parser


def _runs(report: Report, folder: Path, seed: int) -> Iterator[tuple[str, Measured]]:
    """The run, then its controls."""
    options = report.options
    seeded = ("--seed", str(seed))
    home = folder / f"seed-{seed}"
    own = run_recipe(options.recipe, home, *seeded)
    yield OWN, _shown(report, seed, OWN, own, home)
    for control in options.controls:
        name = "control" if control == "demonstrations" else control
        home = folder / f"{name}-{seed}"
        recipe = recipe_of(control, options.recipe, home.with_suffix(".toml"))
        run = run_recipe(recipe, home, *seeded, *settings_of(control, own))
        yield control, _shown(report, seed, control, run, home)


def _shown(
    report: Report, seed: int, learnt_from: str, run: Mapping[str, Any], home: Path
) -> Measured:
    for round_ in run["rounds"]:
        minutes = run["seconds"] / MINUTE
        report.row(seed=seed, trained_on=learnt_from, minutes=minutes, **_columns(round_))
    return measured(run, home, report.options.benchmarks, report.options.columns)


def _columns(round_: Mapping[str, Any]) -> dict[str, Any]:
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


def _claim_leads(report: Report, control: str, seeds: Sequence[Seed]) -> None:
    """Ten points over demonstrations on held-out problems; over the rest more than chance."""
    least = 10 if control == "demonstrations" else 0
    name = f"lead over {control}"
    _claim(report, name, [(s[control].after, s[OWN].after) for s in seeds], least)
    for file in report.options.benchmarks:
        sides = [(s[control].elsewhere[file], s[OWN].elsewhere[file]) for s in seeds]
        _claim(report, f"{name} on {file.stem}", sides, 0)


def _claim(
    report: Report,
    name: str,
    sides: Sequence[tuple[Mapping[str, float], Mapping[str, float]]],
    points: float,
) -> None:
    """That the second of each two sides is better, by `points` over all seeds."""
    pooled: Difference = difference(*sides)
    least = min(difference(one).points for one in sides)
    report.claim(f"{name}, all seeds", pooled.points, "points", ">=", points)
    report.claim(f"{name}, low end of the 95 % interval", pooled.low, "points", ">", 0)
    report.claim(f"{name}, least of the seeds", least, "points", ">", 0)


if __name__ == "__main__":
    raise SystemExit(main())
