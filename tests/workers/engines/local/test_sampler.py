import math

import numpy as np
import pytest
import torch

from workers.engines.local.sampler import draw, stream_key, uniforms

PROBABILITIES = (0.5, 0.25, 0.15, 0.07, 0.03, 0.0)


def counted(rows: int, *, temperature: float = 1.0, top_p: float = 1.0, wide: int = 0) -> list[int]:
    """How often each of the six tokens is drawn; `wide` adds tokens that are never likely."""
    known = torch.tensor([math.log(p) if p else -1e9 for p in PROBABILITIES])
    logits = torch.cat([known, torch.full((wide,), -1e9)]).expand(rows, -1)
    keys = np.array([stream_key(seed, 0) for seed in range(rows)], np.uint64)
    heat, mass = np.full(rows, temperature, np.float32), np.full(rows, top_p, np.float32)
    tokens = draw(logits, heat, mass, uniforms(keys, np.zeros(rows, np.int64)))
    return np.bincount(tokens, minlength=6).tolist()


def chi_square(counts: list[int], probabilities: list[float]) -> float:
    total = sum(counts)
    likely = [(n, p) for n, p in zip(counts, probabilities, strict=True) if p > 0]
    return sum((n - total * p) ** 2 / (total * p) for n, p in likely)


def test_draws_follow_the_distribution() -> None:
    counts = counted(20_000)
    assert counts[5] == 0
    assert chi_square(counts, list(PROBABILITIES)) < 20  # 4 degrees of freedom: p = 0.0005


def test_temperature_sharpens_as_it_should() -> None:
    squared = [p * p for p in PROBABILITIES]
    expected = [p / sum(squared) for p in squared]
    assert chi_square(counted(20_000, temperature=0.5), expected) < 20


@pytest.mark.parametrize("wide", [0, 1000])
def test_top_p_keeps_the_fewest_tokens_that_hold_the_mass(wide: int) -> None:
    counts = counted(20_000, top_p=0.8, wide=wide)
    assert counts[3:] == [0, 0, 0]
    assert chi_square(counts[:3], [p / 0.9 for p in PROBABILITIES[:3]]) < 14
    assert counted(500, top_p=0.4, wide=wide)[0] == 500


def test_top_p_of_a_flat_distribution_needs_more_than_the_first_guess() -> None:
    rows, width = 4000, 2000
    keys = np.array([stream_key(3, sample) for sample in range(rows)], np.uint64)
    ones = np.ones(rows, np.float32)
    chance = uniforms(keys, np.zeros(rows, np.int64))
    tokens = draw(torch.zeros(rows, width), ones, 0.5 * ones, chance)
    assert 800 < len(set(tokens.tolist())) <= 1001


def test_temperature_zero_is_greedy_beside_warm_rows() -> None:
    logits = torch.tensor([[0.0, 3.0, 1.0]]).expand(40, -1)
    heat = np.array([0.0, 1.0] * 20, np.float32)
    chance = uniforms(np.arange(40, dtype=np.uint64), np.zeros(40, np.int64))
    tokens = draw(logits, heat, np.ones(40, np.float32), chance)
    assert set(tokens[::2].tolist()) == {1}
    assert len(set(tokens[1::2].tolist())) > 1


def test_uniforms_are_even_and_differ_by_seed_sample_and_position() -> None:
    keys = np.array([stream_key(s, i) for s in range(50) for i in range(20)], np.uint64)
    table = np.stack([uniforms(keys, np.full(1000, p, np.int64)) for p in range(20)])
    assert table.min() >= 0
    assert table.max() < 1
    counts = np.histogram(table, bins=50, range=(0, 1))[0].tolist()
    assert chi_square(counts, [0.02] * 50) < 95  # 49 degrees of freedom: p = 0.0001
    assert abs(np.corrcoef(table[0], table[1])[0, 1]) < 0.12
    assert len(np.unique(table)) > 19_900


def test_the_largest_draw_picks_a_possible_token() -> None:
    logits = torch.tensor([[0.0, 0.0, 0.0, -1e9, -1e9]]).repeat(3, 1)
    top = np.full(3, 1 - 2.0**-24, np.float32)
    ones = np.ones(3, np.float32)
    assert draw(logits, ones, ones, top).tolist() == [2, 2, 2]
    assert set(draw(logits, ones, 0.9 * ones, top).tolist()) <= {0, 1, 2}


def test_any_integer_is_a_seed() -> None:
    keys = {stream_key(seed, 0) for seed in (-1, 0, 1, 2**63, -(2**63) + 1, 2**64 - 2)}
    assert len(keys) == 6
    assert all(0 <= key < 2**64 for key in keys)
