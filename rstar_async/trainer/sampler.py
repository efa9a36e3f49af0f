"""The order of examples depends on seed and epoch alone.

So a resumed training sees the examples in the same order, and so do all processes of one training.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import Sampler
from transformers import TrainerCallback
from transformers.trainer_pt_utils import get_length_grouped_indices


class EpochSampler(Sampler[int]):
    """The `count` examples in the order `indices(epoch)`, for the epoch that `set_epoch` set last;
    then the `padding` examples, which also come last in the data set."""

    def __init__(
        self, count: int, indices: Callable[[int], Sequence[int]], padding: int = 0
    ) -> None:
        self._examples = range(count)
        self._padding = range(count, count + padding)
        self._indices = indices
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._examples) + len(self._padding)

    def __iter__(self) -> Iterator[int]:
        return iter([*self._indices(self._epoch), *self._padding])


def shuffled(count: int, seed: int, padding: int = 0) -> EpochSampler:
    def indices(epoch: int) -> list[int]:
        generator = torch.Generator().manual_seed(seed + epoch)
        return torch.randperm(count, generator=generator).tolist()

    return EpochSampler(count, indices, padding)


def grouped_by_length(
    lengths: Sequence[int], batch_size: int, seed: int, padding: int = 0
) -> EpochSampler:
    """Shuffled, with examples of similar length in a batch to save padding."""

    def indices(epoch: int) -> list[int]:
        generator = torch.Generator().manual_seed(seed)
        for _ in range(epoch + 1):
            torch.empty((), dtype=torch.int64).random_(generator=generator)
            order = get_length_grouped_indices(list(lengths), batch_size, generator=generator)
        return [int(index) for index in order]

    return EpochSampler(len(lengths), indices, padding)


class SetEpoch(TrainerCallback):
    """Sets the sampler's epoch; a data loader that skips batches after a restart does not."""

    def __init__(self, sampler: EpochSampler) -> None:
        self._sampler = sampler

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        # After the last step of an epoch, `state.epoch` may be a rounding error too small.
        self._sampler.set_epoch(int((state.epoch or 0) + 1e-6))
