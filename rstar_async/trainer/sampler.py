"""The order of examples: a function of seed and epoch alone.

So a training that goes on from a checkpoint sees what it would have seen, and all processes of a
team see the same.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import Sampler
from transformers import TrainerCallback
from transformers.trainer_pt_utils import get_length_grouped_indices


class SamplerOrder(Sampler[int]):
    """`indices(epoch)` of whichever epoch `set_epoch` named last, and behind the `count` examples
    as many `padding`, which stand behind them in the data set too."""

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


def shuffled(count: int, seed: int, padding: int = 0) -> SamplerOrder:
    def indices(epoch: int) -> list[int]:
        chance = torch.Generator().manual_seed(seed + epoch)
        return torch.randperm(count, generator=chance).tolist()

    return SamplerOrder(count, indices, padding)


def grouped_by_length(
    lengths: Sequence[int], batch_size: int, seed: int, padding: int = 0
) -> SamplerOrder:
    """Shuffled, but with examples of similar length in a batch, so that little is padding."""

    def indices(epoch: int) -> list[int]:
        chance = torch.Generator().manual_seed(seed)
        for _ in range(epoch + 1):
            torch.empty((), dtype=torch.int64).random_(generator=chance)
            found = get_length_grouped_indices(list(lengths), batch_size, generator=chance)
        return [int(index) for index in found]

    return SamplerOrder(len(lengths), indices, padding)


class SetEpoch(TrainerCallback):
    """Tells the order its epoch, for a loader that skips batches after a restart does not."""

    def __init__(self, order: SamplerOrder) -> None:
        self._order = order

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        # After the last step of an epoch its number may be a rounding error below the next.
        self._order.set_epoch(int((state.epoch or 0) + 1e-6))
