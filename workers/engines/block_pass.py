"""The attention of one decoding step over a block of samples (see `block.py` for the layout)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

Integers = npt.NDArray[np.int64]


@dataclass
class BlockPass:
    """One forward pass over a block: `ids[i]` is the next token of seat `taken[i]`.

    `order` [slots * seats] is the place in `ids` of each seat (any place, for an empty one); `at`
    is where each taken seat writes its token. `prompt` [layers, 2, slots, heads, tokens, size] and
    `own` [layers, 2, slots * seats, heads, tokens, size] are views of the block's memory. Biases
    are 0 where a key is seen, and hide it elsewhere.
    """

    ids: Integers
    positions: Integers
    seats: int
    taken: torch.Tensor
    at: torch.Tensor
    order: torch.Tensor
    prompt: torch.Tensor
    own: torch.Tensor
    prompt_bias: torch.Tensor
    own_bias: torch.Tensor

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float
    ) -> torch.Tensor:
        """[taken, query heads, size] and [taken, heads, size] twice to [taken, query heads, size].

        The seats of a slot, and the query heads of a key head, differ only in their queries: the
        prompt's keys are read once for all of them.
        """
        heads, size = key.shape[1:]
        repeats = query.shape[1] // heads
        own_keys, own_values = self.own[layer]
        own_keys[self.taken, :, self.at] = key
        own_values[self.taken, :, self.at] = value
        spread = (query * scale)[self.order].view(-1, self.seats, heads, repeats, size)
        weights = self._weights(spread, self.prompt[layer, 0], own_keys)
        tokens = self.prompt.shape[-2]
        seen = _over_prompt(weights[..., :tokens], self.prompt[layer, 1])
        seen = seen + _over_own(weights[..., tokens:], own_values)
        return seen.reshape(len(self.order), -1, size)[self.taken]

    def _weights(
        self, spread: torch.Tensor, prompt_keys: torch.Tensor, own_keys: torch.Tensor
    ) -> torch.Tensor:
        """[slots, seats, heads, repeats, size] to [slots, heads, seats, repeats, prompt + own]."""
        slots, seats, heads, repeats, size = spread.shape
        by_slot = spread.transpose(1, 2).reshape(slots * heads, seats * repeats, size)
        prompt = torch.bmm(by_slot, prompt_keys.flatten(0, 1).transpose(1, 2))
        by_seat = spread.reshape(slots * seats * heads, repeats, size)
        own = torch.bmm(by_seat, own_keys.flatten(0, 1).transpose(1, 2))
        scores = (
            prompt.view(slots, heads, seats, repeats, -1) + self.prompt_bias,
            own.view(slots, seats, heads, repeats, -1).transpose(1, 2) + self.own_bias,
        )
        return torch.softmax(torch.cat(scores, dim=-1), dim=-1).to(spread.dtype)


def _over_prompt(weights: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """[slots, heads, seats, repeats, tokens] to [slots, seats, heads, repeats, size]."""
    slots, heads, seats, repeats, _ = weights.shape
    seen = torch.bmm(weights.flatten(0, 1).flatten(1, 2), values.flatten(0, 1))
    return seen.view(slots, heads, seats, repeats, -1).transpose(1, 2)


def _over_own(weights: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """[slots, heads, seats, repeats, tokens] to [slots, seats, heads, repeats, size]."""
    slots, heads, seats, repeats, tokens = weights.shape
    by_seat = weights.transpose(1, 2).reshape(slots * seats * heads, repeats, tokens)
    return torch.bmm(by_seat, values.flatten(0, 1)).view(slots, seats, heads, repeats, -1)
