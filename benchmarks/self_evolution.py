"""Does training on its own verified solutions improve a model, compared with other training data?

Runs a recipe once per seed, and for each run a control with the same rounds and as many SFT rows,
taken from the bootstrap's demonstrations instead. Both are ordinary runs of `rstar run`. Gain and
lead are differences on the same held-out problems, pooled over all seeds.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.differences import Difference, difference
from benchmarks.recipe_runs import run_recipe, runs_folder
from benchmarks.report import Report, open_report
from storage import queries
from storage.database import open_database

MINUTE = 60.0

# The control learns nothing from search.
CONTROL = (
    *("--policy.learn_from", "demonstrations", "--ppm.train", "false"),
    *("--search.rollouts", "1", "--evaluation.search", "false"),
)


@dataclass(frozen=True)
class PassRates:
    """pass@1 by held-out question, before the first round and after the last one."""

    before: Mapping[str, float]
    after: Mapping[str, float]


def main(arguments: list[str] | None = None) -> int:
    """Run all seeds; claims that the last round beats the bootstrap and the control."""
    report = open_report(__doc__, arguments, _options())
    seeds = range(1, 1 + (1 if report.short else report.options.seeds))
    with runs_folder(report.options.keep) as folder:
        pairs = [_seed(report, folder, seed) for seed in seeds]
    _claim(report, [own for own, _ in pairs], [control for _, control in pairs])
    return report.close()


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3, help="runs, each with its control")
    parser.add_argument("--recipe", type=Path, default=Path("recipes/demo.toml"))
    parser.add_argument(
        "--keep", type=Path, help="folder for the runs; runs that are there are resumed"
    )
    return parser


def _seed(report: Report, folder: Path, seed: int) -> tuple[PassRates, PassRates]:
    """The run and its control."""
    recipe: Path = report.options.recipe
    own = run_recipe(recipe, folder / f"seed-{seed}", "--seed", str(seed))
    rows = str(max(r["rows"] or 0 for r in own["rounds"]))
    control = run_recipe(
        recipe,
        folder / f"control-{seed}",
        *("--seed", str(seed), "--policy.replay", rows, *CONTROL),
    )
    for name, run in (("own solutions", own), ("control", control)):
        for round_ in run["rounds"]:
            report.row(
                seed=seed, trained_on=name, minutes=run["seconds"] / MINUTE, **_columns(round_)
            )
    return _pass_rates(own), _pass_rates(control)


def _columns(round_: dict[str, Any]) -> dict[str, Any]:
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


def _pass_rates(run: dict[str, Any]) -> PassRates:
    last = run["rounds"][-1]["number"]
    return PassRates(_rates(run, 0), _rates(run, last))


def _rates(run: dict[str, Any], number: int) -> dict[str, float]:
    """The policy's success rate on every held-out question after a round."""
    name: str = run["run"]
    with open_database(run["database"], must_exist=True) as database:
        evaluations = database.read(queries.evaluations_of, name)
        chosen = next(e for e in evaluations if (e.round, e.method) == (number, "policy"))
        answers = database.read(queries.answers_of, chosen.id)
        questions = {p.id: p.question for p in database.read(queries.problems_of, name, "heldout")}
    attempts: dict[str, list[bool]] = {}
    for answer in answers:
        attempts.setdefault(questions[answer.problem_id], []).append(answer.correct is True)
    return {question: sum(right) / len(right) for question, right in attempts.items()}


def _claim(report: Report, own: Sequence[PassRates], control: Sequence[PassRates]) -> None:
    gains = [difference((run.before, run.after)) for run in own]
    leads = [difference((c.after, o.after)) for o, c in zip(own, control, strict=True)]
    gain = difference(*((run.before, run.after) for run in own))
    lead = difference(*((c.after, o.after) for o, c in zip(own, control, strict=True)))
    _claim_one(report, "gain over the bootstrap", gain, gains)
    _claim_one(report, "lead over the control", lead, leads)


def _claim_one(report: Report, name: str, all_: Difference, by_seed: Sequence[Difference]) -> None:
    least = min(one.points for one in by_seed)
    report.claim(f"{name}, all seeds", all_.points, "points", ">=", 10)
    report.claim(f"{name}, low end of the 95 % interval", all_.low, "points", ">", 0)
    report.claim(f"{name}, least of the seeds", least, "points", ">", 0)


if __name__ == "__main__":
    raise SystemExit(main())
