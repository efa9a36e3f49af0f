"""Which number type this machine computes fastest in.

On a GPU it is bfloat16. CPUs differ: with AVX-512 BF16 or AMX, products of matrices take a quarter
of float32's time, and twice as much without. So a CPU is measured.
"""

import functools
import logging
import statistics
import time

import torch

log = logging.getLogger(__name__)

ROWS, WIDTH = 128, 1024  # rows as a batch of a small model has them
SECONDS = 0.15  # for each type
TURNS = 5  # the types take turns, so that other work on the machine slows both
# Only products gain by bfloat16; the rest is faster in float32, and float32 is more exact.
WORTH_IT = 1.5


def fastest_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 on a GPU, and on a CPU that multiplies matrices clearly faster in it."""
    if device.type != "cpu":
        return torch.bfloat16
    rates = measured_rates()
    dtype = faster(rates)
    facts = {str(each): f"{rate:.0f} GFLOP/s" for each, rate in rates.items()}
    log.info("fastest number type", extra={"dtype": str(dtype), **facts})
    return dtype


def faster(rates: dict[torch.dtype, float]) -> torch.dtype:
    """float32 unless bfloat16 is worth it. Pure."""
    gain = rates[torch.bfloat16] / rates[torch.float32]
    return torch.bfloat16 if gain >= WORTH_IT else torch.float32


@functools.cache
def measured_rates() -> dict[torch.dtype, float]:
    """GFLOP/s of a product of matrices with this process's threads, by type."""
    rows = {dtype: torch.randn(ROWS, WIDTH).to(dtype) for dtype in (torch.float32, torch.bfloat16)}
    weights = {dtype: torch.randn(WIDTH, WIDTH).to(dtype) for dtype in rows}
    turns: dict[torch.dtype, list[float]] = {dtype: [] for dtype in rows}
    for _ in range(TURNS):
        for dtype in rows:
            turns[dtype].append(_rate(rows[dtype], weights[dtype]))
    return {dtype: statistics.median(rates) for dtype, rates in turns.items()}


def _rate(rows: torch.Tensor, weights: torch.Tensor) -> float:
    torch.nn.functional.linear(rows, weights)  # the first one prepares
    products, started = 0, time.perf_counter()
    while (seconds := time.perf_counter() - started) < SECONDS / TURNS:
        torch.nn.functional.linear(rows, weights)
        products += 1
    return 2 * ROWS * WIDTH * WIDTH * products / seconds / 1e9
