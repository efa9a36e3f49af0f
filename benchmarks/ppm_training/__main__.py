"""Tree-packed PPM training against training on pairs of whole sequences, on trees of real searches.

The baseline is TRL's RewardTrainer on the same ids: once padded to the longest sequence of a batch,
and once padded to the model's context, as the released code does. TRL has no weights of pairs, so
every pair has weight 1. Trees come from a search with the demo's model, or from `--run HOME`, a
run's folder. Figures are for one epoch: forward and backward, one thread, CPU time. The two methods
alternate, optimiser step by step, so that other load on the machine affects both.
"""

import argparse
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.ppm_training.baselines import Baseline, Epoch, by_pairs, by_trees
from benchmarks.ppm_training.trees import Trees, read_trees, search
from benchmarks.report import Report, open_report

PAIRS_PER_BATCH = 16
# Padding to the context is slow, so the cost of a pair is measured on a sample.
SAMPLED_PAIRS = 8
SHORT_PAIRS = 2


def main(arguments: list[str] | None = None) -> int:
    """Run an epoch with each method; compare tokens, time, loss and gradients."""
    report = open_report(__doc__, arguments, _options())
    with tempfile.TemporaryDirectory(prefix="ppm-training-") as scratch:
        home: Path = report.options.run or search(Path(scratch), 24 if report.short else 60)
        trees = read_trees(home, report.options.trees)
        _measure(report, trees, Path(scratch))
    return report.close()


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", type=Path, help="folder of a run whose trees to take")
    parser.add_argument(
        "--trees", type=int, default=0, help="use only the first N trees; 0 uses all"
    )
    return parser


def _measure(report: Report, trees: Trees, scratch: Path) -> None:
    baseline, pairs = Baseline(trees.model, scratch), len(trees.sequences)
    ours, theirs = Epoch(baseline.packed_model(), pairs), Epoch(baseline.stock_model(), pairs)
    for step in trees.steps:
        by_trees(ours, step.packed)
        by_pairs(baseline, theirs, step.sequences, PAIRS_PER_BATCH)
    sampled = trees.sequences[: SHORT_PAIRS if report.short else SAMPLED_PAIRS]
    padded, unpadded = (Epoch(baseline.stock_model(), len(sampled)) for _ in range(2))
    by_pairs(baseline, padded, sampled, 1, pad_to=baseline.context)
    by_pairs(baseline, unpadded, sampled, 1)
    times = pairs / len(sampled)
    _row(report, trees, "tree-packed", ours)
    _row(report, trees, "pairs", theirs)
    _row(report, trees, f"pairs padded to {baseline.context}", padded, times)
    _claim(report, ours, theirs)
    padding = padded.computed * times / ours.computed
    report.row(way=f"padded to {baseline.context} / trees", positions=padding)
    report.claim("gradient, padded or not", padded.gradient_error(unpadded), "of it", "<=", 1e-4)


def _row(report: Report, trees: Trees, way: str, epoch: Epoch, times: float = 1.0) -> None:
    report.row(
        way=way,
        trees=len(trees.packed),
        pairs=len(trees.sequences),
        measured_pairs=epoch.pairs,
        tokens=round(epoch.tokens * times),
        with_padding=round(epoch.computed * times),
        cpu_seconds=sum(epoch.seconds) * times,
        loss=epoch.loss,
    )


def _claim(report: Report, ours: Epoch, theirs: Epoch) -> None:
    tokens = theirs.tokens / ours.tokens
    report.claim("tokens of pairs to tokens of trees", tokens, "times", ">=", 4)
    faster = sum(theirs.seconds) / sum(ours.seconds)
    report.claim("CPU time of pairs to that of trees", faster, "times", ">=", 3)
    by_step = [there / here for there, here in zip(theirs.seconds, ours.seconds, strict=True)]
    report.claim("the same, median of all steps", median(by_step), "times", ">=", 3)
    report.row(way=f"pairs / trees, of {len(by_step)} steps", least=min(by_step), most=max(by_step))
    report.claim("loss, trees against pairs", ours.loss_error(theirs), "of it", "<=", 1e-4)
    report.claim("gradient, trees against pairs", ours.gradient_error(theirs), "of it", "<=", 1e-4)


if __name__ == "__main__":
    raise SystemExit(main())
