"""Out of memory: less at once, the same training."""

import gc
import logging
from collections.abc import Callable
from typing import Any, TypeVar

import torch

from rstar_async.trainer import distributed
from rstar_async.trainer.errors import Refused

log = logging.getLogger(__name__)

T = TypeVar("T")


def with_less_at_once(at_once: int, least: int, what: str, train: Callable[[int], T]) -> T:
    """`train(at_once)`; when memory does not suffice, again with half as much, down to `least`.

    A batch is accumulated from what fits, so what is learnt stays the same. A rank of a team
    cannot halve alone: it ends, and with it the team.
    """
    while True:
        try:
            return train(at_once)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or distributed.world_size() > 1:
                raise
            if at_once // 2 < least:
                raise Refused(
                    f"out of memory with {at_once} {what} at once, and less cannot be; "
                    "switch training.gradient_checkpointing on or lower max_length"
                ) from None
        at_once //= 2
        _give_back()
        log.warning("out of memory; continuing with fewer at once", extra={what: at_once})


def is_out_of_memory(error: BaseException) -> bool:
    """CUDA has a class for it; the CPU's allocator only says so."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)


def _give_back() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def note(metrics: dict[str, Any], name: str, at_once: int, wanted: int) -> dict[str, Any]:
    """The metrics with how much was computed at once, if that was less than wanted."""
    return metrics if at_once == wanted else {**metrics, name: at_once}
