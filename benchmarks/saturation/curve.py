"""How fast one engine is: a 7B model on one H200, from published measurements.

Source: NVIDIA, TensorRT-LLM 0.9.0, docs/source/performance.md, "Peak Throughput", H200 GPUs (FP8),
Mistral 7B, tensor parallelism 1. Each row is a batch that is filled, generates to its end and is
filled again, so its time is that of the prefill of all prompts and of so many steps of decoding:

    batch * prompt / prefill + output * (step + batch * (sequence + context * mean context))

Four rows determine the four constants; the model of the cost is ours.
"""

from typing import NamedTuple

import numpy as np


class Measured(NamedTuple):
    """Sequences at once, tokens of each prompt and each output, output tokens a second."""

    batch: int
    prompt: int
    output: int
    rate: float


PUBLISHED = (
    Measured(896, 128, 128, 20_460),
    Measured(120, 128, 2048, 8_950),
    Measured(64, 2048, 128, 2_423),
    Measured(56, 2048, 2048, 3_867),
)


class Curve(NamedTuple):
    """Seconds: of prefill for a token; of a decoding step, for each sequence in it, and for each
    token of context of each sequence."""

    prefill: float
    step: float
    sequence: float
    context: float

    def decoding_seconds(self, batch: int, context: float) -> float:
        """Of one step: a token for each of `batch` sequences with `context` tokens in all."""
        return self.step + batch * self.sequence + context * self.context

    def rate(self, measured: Measured) -> float:
        """Output tokens a second of such a batch, as the constants have it."""
        batch, prompt, output, _ = measured
        mean_context = batch * (prompt + output / 2)
        seconds = batch * prompt * self.prefill + output * self.decoding_seconds(
            batch, mean_context
        )
        return batch * output / seconds


def fitted(published: tuple[Measured, ...] = PUBLISHED) -> Curve:
    """The curve through four measured points."""
    terms = [
        (m.batch * m.prompt, m.output, m.output * m.batch, m.output * m.batch * _context(m))
        for m in published
    ]
    seconds = [m.batch * m.output / m.rate for m in published]
    return Curve(*map(float, np.linalg.solve(np.array(terms, float), np.array(seconds))))


def _context(measured: Measured) -> float:
    return measured.prompt + measured.output / 2
