"""Tree-packed PPM training against pairs of whole sequences, on trees of real searches.

The oracle is TRL's RewardTrainer, given the same ids: once padded to the longest of a batch, and
once padded to the model's context, which is how the reference trains. TRL knows no weights of
pairs, so here every pair weighs the same. Trees come from a search by the demo's model, or from
`--run HOME`, a run's folder. Figures are for one epoch: forward and backward, one thread, CPU time.
The two ways take turns, optimiser step by step, so that what else the machine does meets both.
"""

import argparse
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.ppm_training.baselines import Baseline, Epoch, by_pairs, by_trees
from benchmarks.ppm_training.trees import Trees, read_trees, search
from benchmarks.report import Report, open_report

PAIRS_PER_BATCH = 16
# Padding to the context is dear; a sample of pairs says what one pair costs.
SAMPLED_PAIRS = 8
SHORT_PAIRS = 2


def main(arguments: list[str] | None = None) -> int:
    """Grow or read trees, run an epoch of each kind, compare tokens, time, loss and gradients."""
    report = open_report(__doc__, arguments, _options())
    with tempfile.TemporaryDirectory(prefix="ppm-training-") as scratch:
        home: Path = report.options.run or search(Path(scratch), 24 if report.short else 60)
        trees = read_trees(home, report.options.trees)
        _measure(report, trees, Path(scratch))
    return report.close()


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", type=Path, help="folder of a run whose trees to take")
    parser.add_argument("--trees", type=int, default=0, help="use only the first so many; 0 is all")
    return parser


def _measure(report: Report, trees: Trees, scratch: Path) -> None:
    rival, pairs = Baseline(trees.model, scratch), len(trees.sequences)
    ours, theirs = Epoch(rival.packed_model(), pairs), Epoch(rival.stock_model(), pairs)
    for stand in trees.stands:
        by_trees(ours, stand.packed)
        by_pairs(rival, theirs, stand.sequences, PAIRS_PER_BATCH)
    sampled = trees.sequences[: SHORT_PAIRS if report.short else SAMPLED_PAIRS]
    padded, alone = (Epoch(rival.stock_model(), len(sampled)) for _ in range(2))
    by_pairs(rival, padded, sampled, 1, pad_to=rival.context)
    by_pairs(rival, alone, sampled, 1)
    times = pairs / len(sampled)
    _row(report, trees, "tree-packed", ours)
    _row(report, trees, "pairs", theirs)
    _row(report, trees, f"pairs padded to {rival.context}", padded, times)
    _claim(report, ours, theirs)
    padding = padded.computed * times / ours.computed
    report.row(way=f"padded to {rival.context} / trees", positions=padding)
    report.claim("gradient, padded or not", padded.gradient_error(alone), "of it", "<=", 1e-4)


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
