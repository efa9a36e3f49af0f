"""Tree-packed PPM training against pairs of whole sequences, on trees of real searches.

The oracle is TRL's RewardTrainer, given the same ids: once padded to the longest of a batch, and
once padded to the model's context, which is how the reference trains. TRL knows no weights of
pairs, so here every pair weighs the same. Trees come from a search by the demo's model, or from
`--run HOME`, a run's folder. Figures are for one epoch: forward and backward, one thread.
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.ppm_rivals import Epoch, Rival, by_pairs, by_trees
from benchmarks.ppm_trees import Trees, read_trees, search
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
    rival = Rival(trees.model, scratch)
    packed = by_trees(rival, trees)
    pairs = by_pairs(rival, trees.sequences, PAIRS_PER_BATCH)
    sampled = trees.sequences[: SHORT_PAIRS if report.short else SAMPLED_PAIRS]
    padded = by_pairs(rival, sampled, 1, pad_to=rival.context)
    alone = by_pairs(rival, sampled, 1)
    scale = len(trees.sequences) / len(sampled)
    for way, epoch, times in (
        ("tree-packed", packed, 1.0),
        ("pairs", pairs, 1.0),
        (f"pairs padded to {rival.context}", padded, scale),
    ):
        report.row(
            way=way,
            trees=len(trees.packed),
            pairs=len(trees.sequences),
            measured_pairs=epoch.pairs,
            tokens=round(epoch.tokens * times),
            with_padding=round(epoch.computed * times),
            cpu_seconds=epoch.cpu_seconds * times,
            loss=epoch.loss,
        )
    _claim(report, packed, pairs, (padded, alone), scale)


def _claim(
    report: Report, packed: Epoch, pairs: Epoch, sampled: tuple[Epoch, Epoch], scale: float
) -> None:
    padded, alone = sampled
    tokens = pairs.tokens / packed.tokens
    report.claim("tokens of pairs to tokens of trees", tokens, "times", ">=", 4)
    faster = pairs.cpu_seconds / packed.cpu_seconds
    report.claim("CPU time of pairs to that of trees", faster, "times", ">=", 3)
    padding = padded.computed * scale / packed.computed
    report.claim("positions of padded pairs to those of trees", padding, "times", ">=", 20)
    report.claim("loss, trees against pairs", packed.loss_error(pairs), "of it", "<=", 1e-4)
    report.claim("gradient, trees against pairs", packed.gradient_error(pairs), "of it", "<=", 1e-4)
    report.claim("gradient, padded or not", padded.gradient_error(alone), "of it", "<=", 1e-4)


if __name__ == "__main__":
    raise SystemExit(main())
