"""Which parts of a PPM's training make it guide: each variant on the same trees and samples.

Takes finished runs, one a seed, and trains a PPM on the trees of each by every variant, as the
trainer does. A PPM is judged by the held-out pairs of its run, and by its choice among samples of
fresh problems beside the majority of the same samples, so all spend the same tokens.
`python -m benchmarks.ppm_guides --keep FOLDER` makes the runs and the samples.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

from msgspec import structs

from benchmarks.ppm_ablation.samples import Sampled, read_samples
from benchmarks.ppm_ablation.variants import DEFAULT, PAPER, Variant, variants
from benchmarks.ppm_ablation.worth import accuracy_by_rule, majorities, values_of, worth
from benchmarks.ppm_guides.runs import evaluated_runs, fresh_questions
from benchmarks.recipe_runs import runs_folder
from benchmarks.report import Report, open_report
from rstar_async.config import PPMConfig
from rstar_async.config.loader import read_stored_recipe
from rstar_async.evaluation.selection import ppm_weighted
from rstar_async.trainer.bootstrap import BOOTSTRAP
from rstar_async.trainer.build_dataset import build_dataset
from rstar_async.trainer.context import TrainingContext
from rstar_async.trainer.ppm import PPMJob, train_ppm
from rstar_async.trainer.progress import TrainingProgress
from rstar_async.trainer.scorer import load_ppm
from storage.database import open_database

FEW, MANY = 4, 16


def main(arguments: list[str] | None = None) -> int:
    """Train and measure every variant on every run."""
    report = open_report(__doc__, arguments, _options())
    with runs_folder(report.options.keep) as folder:
        for seed, home, _ in evaluated_runs(report, folder):
            with _context(home) as context:
                _measure_run(report, seed, context)
    _claim(report)
    return report.close()


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=2, help="runs")
    parser.add_argument("--recipe", type=Path, default=Path("recipes/demo.toml"))
    parser.add_argument("--problems", type=int, default=300, help="fresh ones, generated")
    parser.add_argument("--fresh", type=Path, help="a JSONL file of fresh problems instead")
    parser.add_argument("--trajectories", default="1,4,16", help="trees a problem")
    parser.add_argument("--keep", type=Path, help="folder of the runs")
    parser.add_argument("--only", default="", help="only variants whose name contains this")
    return parser


@contextmanager
def _context(home: Path) -> Iterator[TrainingContext]:
    recipe = structs.replace(read_stored_recipe(home / "recipe.json"), home=str(home))
    with open_database(recipe.database_url, must_exist=True) as database:
        yield TrainingContext(recipe, recipe.name, database)


def _measure_run(report: Report, seed: int, context: TrainingContext) -> None:
    rounds = len(context.recipe.rounds)
    sampled = read_samples(context, rounds, fresh_questions(report), MANY)
    for count in (FEW, MANY):
        accuracy = 100 * fmean(majorities(sampled, count).values())
        report.row(seed=seed, variant=f"majority of {count}", **{f"best_of_{count}": accuracy})
    chosen = [one for one in variants(rounds) if report.options.only in one.name]
    for variant in chosen:
        if not report.short or variant.name in (DEFAULT, PAPER):
            _measure(report, seed, context, variant, sampled)


def _measure(
    report: Report, seed: int, context: TrainingContext, variant: Variant, sampled: list[Sampled]
) -> None:
    recipe = context.recipe
    ppm = structs.replace(recipe.ppm, history="all", **variant.settings)
    changed = replace(context, recipe=structs.replace(recipe, ppm=ppm))
    with tempfile.TemporaryDirectory(prefix="ppm-ablation-") as scratch:
        metrics = _train(changed, variant.rounds or len(recipe.rounds), Path(scratch))
        values = values_of(load_ppm(Path(scratch)), sampled, ppm, recipe.search.ppm_scale)
    rule = metrics["path_rule"]
    low, high = metrics["pair_accuracy_interval"]
    few, many = (worth(sampled, values, rule, count) for count in (FEW, MANY))
    weighted = worth(sampled, values, rule, MANY, ppm_weighted)
    report.row(
        seed=seed,
        variant=variant.name,
        steps=metrics["steps"],
        seconds=metrics["train_seconds"],
        ordered=100 * metrics["pair_accuracy_by_problem"],
        low=100 * low,
        high=100 * high,
        rule=rule,
        **{f"best_of_{FEW}": few.accuracy, f"best_of_{MANY}": many.accuracy},
        **{f"weighted_vote_of_{MANY}": weighted.accuracy},
        over_majority=many.lead.points,
        lead_low=many.lead.low,
        lead_high=many.lead.high,
        **accuracy_by_rule(sampled, values, MANY),
    )


def _train(context: TrainingContext, rounds: int, into: Path) -> dict[str, Any]:
    """Train as the trainer does after round `rounds`; the metrics that the manifest would have."""
    recipe = context.recipe
    start = context.newest_policy(rounds if recipe.ppm.start == "policy" else BOOTSTRAP)
    encoder = context.encoder(start)
    settings: PPMConfig = recipe.ppm
    length = context.max_length(settings.max_length, start)
    dataset = build_dataset(context, rounds, encoder, length)
    job = PPMJob(
        start=context.folder(start),
        trees=dataset.trees["train"],
        heldout=dataset.trees["heldout"],
        settings=settings,
        training=recipe.training,
        scale=recipe.search.ppm_scale,
        seed=context.seed(rounds),
        answered=dataset.answered,
        reference=context.folder(context.newest_policy(BOOTSTRAP)),
    )
    return train_ppm(job, into=into, progress=TrainingProgress("ppm"))


def _claim(report: Report) -> None:
    """The default is worth more than the paper's objective, on average over the runs."""
    accuracy = {name: _accuracies(report, name) for name in (DEFAULT, PAPER)}
    if all(accuracy.values()):
        lead = fmean(accuracy[DEFAULT]) - fmean(accuracy[PAPER])
        report.claim("default over paper's objective, best of 16", lead, "points", ">", 0)


def _accuracies(report: Report, variant: str) -> list[float]:
    cells = (row[f"best_of_{MANY}"] for row in report.rows if row["variant"] == variant)
    return [cell for cell in cells if isinstance(cell, float)]


if __name__ == "__main__":
    raise SystemExit(main())
