"""The processes of one training, started by torchrun, of which one leads.

All run the same code on the same data. What is written for good is written by the leader; what
depends on a clock or a signal is agreed on, for a rank that goes its own way leaves the others
waiting for ever. A process on its own is a team of one.
"""

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist

T = TypeVar("T")
# Longer than publishing the largest model takes, which the others wait for.
PATIENCE = timedelta(hours=2)


def join() -> None:
    """Meet the others, if torchrun started this process."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_initialized():
        on_gpu = torch.cuda.is_available()
        if on_gpu:
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        dist.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo", timeout=PATIENCE)


def leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def world_size() -> int:
    return dist.get_world_size() if dist.is_initialized() else 1


def is_rank0() -> bool:
    return not dist.is_initialized() or dist.get_rank() == 0


def on_rank0(work: Callable[[], T]) -> T:
    """What `work()` gives the leader, given to all; what it raises there is raised everywhere."""
    if world_size() == 1:
        return work()
    outcome: list[Any] = [None]
    if is_rank0():
        try:
            outcome = [(work(), None)]
        except Exception as error:  # passed on to the others, and raised
            outcome = [(None, error)]
    dist.broadcast_object_list(outcome, src=0)
    result, failure = outcome[0]
    if failure is not None:
        raise failure
    return result  # type: ignore[no-any-return]


def barrier() -> None:
    """Wait until all are here."""
    if world_size() > 1:
        dist.barrier()


def any_rank(*wishes: bool) -> list[bool]:
    """Each wish is granted to all if anybody has it."""
    if world_size() == 1:
        return list(wishes)
    flags = torch.tensor(wishes, dtype=torch.int32)
    dist.all_reduce(flags, op=dist.ReduceOp.MAX)
    return [bool(flag) for flag in flags]


def max_over_ranks(count: int) -> int:
    """The largest count that any of the team has."""
    if world_size() == 1:
        return count
    largest = torch.tensor(count)
    dist.all_reduce(largest, op=dist.ReduceOp.MAX)
    return int(largest)
