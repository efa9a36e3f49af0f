"""Driver, memory, and how fast the card multiplies and reads: what all other figures depend on."""

import time
from collections.abc import Callable

import torch

from benchmarks.gpu.card import card_now
from benchmarks.gpu.findings import Findings
from benchmarks.gpu.place import Place

WIDTH, REPEATS = 8192, 20
GIB = 1024**3


def measure(_: Place, findings: Findings) -> None:
    card = card_now()
    findings.note("card", card.name)
    findings.note("driver", card.driver)
    findings.note("CUDA of torch", str(torch.version.cuda))
    findings.note("compute capability", ".".join(map(str, torch.cuda.get_device_capability())))
    findings.note("memory", card.total / 1024, "GiB")
    findings.note("memory used by others", card.used / 1024, "GiB")
    findings.note("bf16 matrix product", _product_rate() / 1e12, "TFLOP/s")
    findings.note("memory read and written", _copy_rate() / 1e9, "GB/s")


def _product_rate() -> float:
    one = torch.randn(WIDTH, WIDTH, device="cuda", dtype=torch.bfloat16)
    return 2 * WIDTH**3 / _seconds(lambda: one @ one)


def _copy_rate() -> float:
    source = torch.empty(GIB, device="cuda", dtype=torch.uint8)
    target = torch.empty_like(source)
    return 2 * GIB / _seconds(lambda: target.copy_(source))


def _seconds(work: Callable[[], object]) -> float:
    """Of one time, the mean of many."""
    for _ in range(3):
        work()
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(REPEATS):
        work()
    torch.cuda.synchronize()
    return (time.perf_counter() - started) / REPEATS
