"""The processes of one training, started by torchrun. A single process is a world of size 1.

All ranks run the same code on the same data. Only rank 0 writes to disk and to the database. Ranks
agree on whatever depends on a clock or a signal: if one decided alone, the others would wait in a
collective operation for ever.
"""

import os
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist

T = TypeVar("T")
# The other ranks wait while rank 0 publishes, which takes long for the largest models.
TIMEOUT = timedelta(hours=2)


def join() -> None:
    """Join the process group if torchrun started this process."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_initialized():
        on_gpu = torch.cuda.is_available()
        if on_gpu:
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        dist.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo", timeout=TIMEOUT)


def leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def exit_rank(code: int) -> int:
    """End this process at once if torchrun started it; otherwise return `code`.

    A thread of torch that asks for the GIL while Python shuts down aborts the process: a rank that
    had done its work then counts as failed.
    """
    if dist.is_torchelastic_launched():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def world_size() -> int:
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    return dist.get_rank() if dist.is_initialized() else 0


def is_rank0() -> bool:
    return rank() == 0


def on_rank0(work: Callable[[], T]) -> T:
    """Run `work` on rank 0 alone; every rank returns its result, or raises its exception."""
    if world_size() == 1:
        return work()
    outcome: list[Any] = [None]
    if is_rank0():
        try:
            outcome = [(work(), None)]
        except Exception as error:  # broadcast, and raised on every rank
            outcome = [(None, error)]
    dist.broadcast_object_list(outcome, src=0)
    result, failure = outcome[0]
    if failure is not None:
        raise failure
    return result  # type: ignore[no-any-return]


def barrier() -> None:
    """Wait until every rank is here."""
    if world_size() > 1:
        dist.barrier()


def any_rank(*flags: bool) -> list[bool]:
    """For each flag, whether it is set on any rank."""
    if world_size() == 1:
        return list(flags)
    reduced = torch.tensor(flags, dtype=torch.int32)
    dist.all_reduce(reduced, op=dist.ReduceOp.MAX)
    return [bool(flag) for flag in reduced]


def max_over_ranks(count: int) -> int:
    """The largest `count` of any rank."""
    if world_size() == 1:
        return count
    largest = torch.tensor(count)
    dist.all_reduce(largest, op=dist.ReduceOp.MAX)
    return int(largest)
