"""From logits to token ids, with randomness that is a pure function of (seed, sample, position).

A row's draw never depends on what else is in the batch: there is no generator whose state
others could advance. Uniforms come from splitmix64 by counter, tokens from the inverse CDF.
"""

import numpy as np
import numpy.typing as npt
import torch

Floats = npt.NDArray[np.float32]
Keys = npt.NDArray[np.uint64]

GOLDEN = 0x9E3779B97F4A7C15
WORD = (1 << 64) - 1
# Nuclei are looked for among this many likeliest tokens first: a full sort of a large vocabulary
# costs more than a small model's forward pass.
NUCLEUS_GUESS = 256


def stream_key(seed: int, sample: int) -> int:
    """The 64-bit key of one sample's stream of draws."""
    first = _mix_int((seed + GOLDEN) & WORD)
    return _mix_int((first + (sample + 1) * GOLDEN) & WORD)


def uniforms(keys: Keys, positions: npt.NDArray[np.int64]) -> Floats:
    """One draw in [0, 1) for each (key, position), with 24 random bits each."""
    with np.errstate(over="ignore"):
        mixed = _mix(keys + (positions.astype(np.uint64) + np.uint64(1)) * np.uint64(GOLDEN))
    return (mixed >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)


def draw(
    logits: torch.Tensor, temperature: Floats, top_p: Floats, uniform: Floats
) -> npt.NDArray[np.int64]:
    """One token per row of `logits` [rows, vocabulary]; temperature 0 is greedy."""
    warm = temperature > 0
    if not warm.any():
        return _host(logits.argmax(-1))
    if warm.all():
        return _sample(logits, temperature, top_p, uniform)
    tokens = _host(logits.argmax(-1))
    rows = torch.from_numpy(np.flatnonzero(warm)).to(logits.device)
    tokens[warm] = _sample(
        logits.index_select(0, rows), temperature[warm], top_p[warm], uniform[warm]
    )
    return tokens


def _sample(
    logits: torch.Tensor, temperature: Floats, top_p: Floats, uniform: Floats
) -> npt.NDArray[np.int64]:
    heat = torch.from_numpy(temperature).to(logits.device)
    probabilities = torch.softmax(logits.float() / heat[:, None], dim=-1)
    chance = torch.from_numpy(uniform).to(logits.device)
    cut = top_p < 1
    if not cut.any():
        return _host(_invert(probabilities, chance))
    mass = torch.from_numpy(top_p).to(logits.device)
    return _host(_nucleus(probabilities, mass, chance))


def _invert(probabilities: torch.Tensor, chance: torch.Tensor) -> torch.Tensor:
    """The first index whose cumulated probability exceeds `chance` of the total."""
    cumulated = probabilities.cumsum(-1)
    total = cumulated[:, -1:]
    # Rounding must not lift the target to the total itself, which no index exceeds.
    target = torch.minimum(chance[:, None] * total, torch.nextafter(total, torch.zeros_like(total)))
    return torch.searchsorted(cumulated, target, right=True).squeeze(-1)


def _nucleus(
    probabilities: torch.Tensor, top_p: torch.Tensor, chance: torch.Tensor
) -> torch.Tensor:
    """Draw from the fewest likeliest tokens that hold `top_p` of the mass, likeliest first."""
    guess = min(NUCLEUS_GUESS, probabilities.shape[-1])
    likely, tokens = probabilities.topk(guess, dim=-1)
    drawn = _from_likeliest(likely, tokens, top_p, chance)
    if guess < probabilities.shape[-1]:
        flat = (likely.sum(-1) < top_p).nonzero().squeeze(-1)
        if len(flat):
            ordered = probabilities[flat].sort(dim=-1, descending=True)
            drawn[flat] = _from_likeliest(*ordered, top_p[flat], chance[flat])
    return drawn


def _from_likeliest(
    likely: torch.Tensor, tokens: torch.Tensor, top_p: torch.Tensor, chance: torch.Tensor
) -> torch.Tensor:
    """`likely` [rows, n] are the descending probabilities of `tokens` [rows, n]."""
    before = likely.cumsum(-1) - likely
    kept = torch.where(before < top_p[:, None], likely, torch.zeros_like(likely))
    kept[:, 0] = likely[:, 0]
    return tokens.gather(-1, _invert(kept, chance)[:, None]).squeeze(-1)


def _host(tokens: torch.Tensor) -> npt.NDArray[np.int64]:
    return tokens.cpu().numpy()


def _mix(word: Keys) -> Keys:
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


def _mix_int(word: int) -> int:
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & WORD
    return word ^ (word >> 31)
