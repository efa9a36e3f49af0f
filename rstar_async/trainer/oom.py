"""Out of memory: train again with smaller passes; what is learnt stays the same."""

import gc
import logging
from collections.abc import Callable
from typing import Any, TypeVar

import torch

from rstar_async.trainer import distributed
from rstar_async.trainer.errors import Refused

log = logging.getLogger(__name__)

T = TypeVar("T")


def halve_on_oom(size: int, minimum: int, unit: str, train: Callable[[int], T]) -> T:
    """`train(size)`; when memory runs out, again with half the size, down to `minimum`.

    Gradients are accumulated over the passes of a batch, so the optimiser steps stay the same. With
    several processes the error is raised: one rank cannot change its size alone.
    """
    while True:
        try:
            return train(size)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or distributed.world_size() > 1:
                raise
            if size // 2 < minimum:
                raise Refused(
                    f"out of memory with {size} {unit} per pass, and it cannot be halved; "
                    "switch training.gradient_checkpointing on or lower max_length"
                ) from None
        size //= 2
        _free_memory()
        log.warning("out of memory; trying again with smaller passes", extra={unit: size})


def is_out_of_memory(error: BaseException) -> bool:
    """CUDA raises a class of its own; the CPU's allocator only names itself in the text."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)


def _free_memory() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def with_reduced_size(
    metrics: dict[str, Any], setting: str, size: int, configured: int
) -> dict[str, Any]:
    """The metrics, with the size of a pass under the setting's name if it had to be reduced."""
    return metrics if size == configured else {**metrics, setting: size}
