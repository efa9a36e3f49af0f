"""`python -m benchmarks.engine.machine THREADS BYTES ROWS`: what this machine can at best.

Memory is read as a step of decoding reads the weights of a model of that many bytes: again and
again, so what fits into the caches comes from there. Products are of ROWS tokens at least.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from benchmarks.cpu_meter import tree_cpu_seconds

LARGEST, SMALLEST = 512 << 20, 1 << 20
WIDTH, ROUNDS, SECONDS = 2048, 5, 0.15


class Rate(NamedTuple):
    """Of something, by the CPU second and by the second."""

    cpu: float
    wall: float


def main(threads: int, model_bytes: int, rows: int) -> None:
    torch.set_num_threads(threads)
    operations = {name: _operations(name, rows) for name in ("float32", "bfloat16", "int8")}
    print(json.dumps({"bandwidth": _bandwidth(model_bytes), "operations": operations}))


def _bandwidth(model_bytes: int) -> Rate:
    size = max(SMALLEST, min(LARGEST, model_bytes))
    buffer = torch.ones(size // 4)
    return _best(lambda: buffer.sum(), size)


def _operations(name: str, rows: int) -> Rate:
    """The best over batches of the sequences' own size and of a prompt's, and over layouts."""
    rates = [_product(name, batch, by_input) for batch in (rows, 512) for by_input in (False, True)]
    return Rate(max(rate.cpu for rate in rates), max(rate.wall for rate in rates))


def _product(name: str, rows: int, by_input: bool) -> Rate:
    left, right = (_matrix(name, size) for size in (rows, WIDTH))
    weight = right if by_input else right.t()
    multiply: Any = torch._int_mm if name == "int8" else torch.mm
    return _best(lambda: multiply(left, weight), 2 * rows * WIDTH * WIDTH)


def _matrix(name: str, rows: int) -> torch.Tensor:
    if name == "int8":
        return torch.randint(-127, 128, (rows, WIDTH), dtype=torch.int8)
    return torch.randn(rows, WIDTH).to(getattr(torch, name))


def _best(work: Callable[[], object], amount: float) -> Rate:
    """The best of some rounds, each long enough for the clocks."""
    work()
    started = time.perf_counter()
    work()
    times = max(1, int(SECONDS / (time.perf_counter() - started)))
    rates = [_round(work, times, amount) for _ in range(ROUNDS)]
    return Rate(max(rate.cpu for rate in rates), max(rate.wall for rate in rates))


def _round(work: Callable[[], object], times: int, amount: float) -> Rate:
    cpu, started = tree_cpu_seconds(), time.perf_counter()
    for _ in range(times):
        work()
    wall, cpu = time.perf_counter() - started, tree_cpu_seconds() - cpu
    return Rate(times * amount / cpu, times * amount / wall)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
