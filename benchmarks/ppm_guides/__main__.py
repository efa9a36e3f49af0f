"""Does the PPM guide: is it worth more than a majority of samples for the same tokens?

Takes the last models of a whole run, one run a seed, and problems that no run has seen. Trees,
beams and guided sampling choose by the PPM; samples of the policy, for as many tokens, answer by
majority or by the PPM. Leads are differences on the same problems, averaged over the seeds.
"""

import argparse
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, TypeAlias

from benchmarks.differences import Difference, difference
from benchmarks.ppm_guides.draws import Draws, draws_of
from benchmarks.ppm_guides.runs import Document, evaluated_runs
from benchmarks.recipe_runs import runs_folder
from benchmarks.report import Report, open_report
from rstar_async.evaluation.guided import GuidedSampling
from rstar_async.evaluation.sampling import Sampling
from rstar_async.evaluation.selection import BEST_PPM, MAJORITY, PPM_WEIGHTED
from rstar_async.evaluation.strategies import TREE

# How many samples or passes the best is chosen of.
DRAWN = (1, 2, 3, 4, 8, 16)
ORDERED, OVER_MAJORITY, OVER_BEST_OF_N = 75, 5, 3
# What a lead is over, by its name in the tables.
CONTROLS = {
    "over_majority": "over majority of samples",
    "over_best_of_n": "over best-of-n by PPM",
}

Row: TypeAlias = Mapping[str, Any]
# By strategy, rule and number of trajectories.
Key: TypeAlias = tuple[str, str, int]


def main(arguments: list[str] | None = None) -> int:
    """Run and measure all seeds; claims what a PPM that guides must achieve."""
    report = open_report(__doc__, arguments, _options())
    with runs_folder(report.options.keep) as folder:
        runs = list(evaluated_runs(report, folder))
        draws = [draws_of(home) for _, home, _ in runs]
    tables = [_shown(report, seed, table) for seed, _, table in runs]
    by_key = [{_key(row): row for row in table["rows"]} for table in tables]
    _claim_order(report, tables)
    _claim_leads(report, by_key)
    _claim_growth(report, by_key)
    _claim_single_pass(report, draws)
    return report.close()


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3, help="runs")
    parser.add_argument("--recipe", type=Path, default=Path("recipes/demo.toml"))
    parser.add_argument(
        "--problems", type=int, default=300, help="fresh ones, generated, the same for all runs"
    )
    parser.add_argument("--fresh", type=Path, help="a JSONL file of fresh problems instead")
    parser.add_argument("--trajectories", default="1,4,16", help="trees a problem")
    parser.add_argument(
        "--keep", type=Path, help="folder for the runs; runs that are there are resumed"
    )
    return parser


def _shown(report: Report, seed: int, table: Document) -> Document:
    for row in table["rows"]:
        report.row(
            seed=seed,
            strategy=row["method"],
            rule=row["rule"],
            trees=row["trajectories"],
            accuracy=100 * row["accuracy"],
            tokens=row["tokens"],
            over_majority=_mean(row["over_majority"]),
            over_best_of_n=_mean(row["over_best_of_n"]),
        )
    return table


def _mean(interval: Sequence[float] | None) -> float | None:
    return None if interval is None else 100 * interval[0]


def _key(row: Row) -> Key:
    return row["method"], row["rule"], row["trajectories"]


def _claim_order(report: Report, tables: Sequence[Document]) -> None:
    ordered = [table["pair_accuracy"] for table in tables]
    if all(one is not None for one in ordered):
        share = 100 * fmean(ordered)
        report.claim("held-out pairs in the right order, mean", share, "%", ">=", ORDERED)


def _claim_leads(report: Report, by_key: Sequence[Mapping[Key, Row]]) -> None:
    """Of trees over the majority of samples, and of every use of the PPM over best-of-n."""
    counts = sorted({count for _, _, count in by_key[0] if count})
    for count in counts:
        key = (TREE.name, BEST_PPM.name, count)
        _claim_lead(report, by_key, key, "over_majority", OVER_MAJORITY)
        for strategy, rule in (
            (TREE.name, BEST_PPM),
            (GuidedSampling.name, MAJORITY),
            (Sampling.name, PPM_WEIGHTED),
        ):
            key = (strategy, rule.name, count)
            _claim_lead(report, by_key, key, "over_best_of_n", OVER_BEST_OF_N)


def _claim_lead(
    report: Report, by_key: Sequence[Mapping[Key, Row]], key: Key, over: str, points: float
) -> None:
    strategy, rule, count = key
    lead = _pooled(by_key, key, over)
    name = f"{strategy}, {rule}, tokens of {count} trees, {CONTROLS[over]}"
    report.claim(name, lead.points, "points", ">=", points)
    report.claim(f"{name}: low end of 95 %", lead.low, "points", ">", 0)


def _pooled(by_key: Sequence[Mapping[Key, Row]], key: Key, lead: str) -> Difference:
    """The mean over the runs, which are independent of each other; in points."""
    intervals = [of_run[key][lead] for of_run in by_key]
    mean = 100 * fmean(one[0] for one in intervals)
    margin = 100 * math.hypot(*(one[0] - one[1] for one in intervals)) / len(intervals)
    return Difference(mean, mean - margin, mean + margin)


def _claim_growth(report: Report, by_key: Sequence[Mapping[Key, Row]]) -> None:
    """A PPM that guides makes more trees better, not worse."""
    for strategy, rule in (
        (TREE.name, BEST_PPM.name),
        (TREE.name, PPM_WEIGHTED.name),
        (GuidedSampling.name, MAJORITY.name),
    ):
        few, many = (100 * fmean(_accuracies(by_key, strategy, rule, end)) for end in (min, max))
        name = f"{strategy}, {rule}: most trajectories against one"
        report.claim(name, many - few, "points", ">", 0)


def _claim_single_pass(report: Report, draws: Sequence[Draws]) -> None:
    """One pass of guided sampling against the best of as many samples as have its tokens."""
    for number, of_run in enumerate(draws, start=1):
        for count in DRAWN:
            for strategy in ("sample", "guided"):
                report.row(
                    seed=number,
                    strategy=strategy,
                    rule=BEST_PPM.name,
                    drawn=count,
                    accuracy=100 * fmean(of_run.best_of(strategy, count).values()),
                    tokens=count * of_run.tokens[strategy],
                )
    pairs = [
        (of_run.best_of("sample", of_run.samples_of_a_pass), of_run.best_of("guided", 1))
        for of_run in draws
    ]
    lead = difference(*pairs)
    name = "one guided pass over the best of samples for its tokens"
    report.claim(name, lead.points, "points", ">=", OVER_BEST_OF_N)
    report.claim(f"{name}: low end of 95 %", lead.low, "points", ">", 0)


def _accuracies(
    by_key: Sequence[Mapping[Key, Row]], strategy: str, rule: str, end: Any
) -> Iterable[float]:
    counts = [count for name, its_rule, count in by_key[0] if (name, its_rule) == (strategy, rule)]
    return [of_run[strategy, rule, end(counts)]["accuracy"] for of_run in by_key]


if __name__ == "__main__":
    raise SystemExit(main())
