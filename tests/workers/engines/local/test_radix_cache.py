"""The radix tree alone, against a model of it: a set of all prefixes ever inserted."""

import random

import torch

from workers.engines.local.radix_cache import RadixCache

TOKEN_BYTES = 4


def kv(tokens: tuple[int, ...], start: int = 0, end: int | None = None) -> torch.Tensor:
    """One number a token that is different for every prefix: [1, 1, 1, tokens, 1]."""
    stop = len(tokens) if end is None else end
    marks = [hash(tokens[: i + 1]) % 1_000_003 for i in range(start, stop)]
    return torch.tensor(marks, dtype=torch.float32).view(1, 1, 1, -1, 1)


def insert(cache: RadixCache, tokens: tuple[int, ...]) -> None:
    cache.insert(tokens, lambda start, end: kv(tokens, start, end))


def found(cache: RadixCache, tokens: tuple[int, ...]) -> int:
    """The length of the match, after checking what it holds."""
    prefix = cache.match(tokens, len(tokens))
    copy = torch.zeros(1, 1, 1, len(tokens), 1)
    prefix.copy_to(copy)
    held = copy[..., : prefix.length, :]
    assert torch.equal(held, kv(tokens)[..., : prefix.length, :])
    return prefix.length


def test_what_was_inserted_is_found_whatever_was_split() -> None:
    source = random.Random(0)
    cache = RadixCache(1 << 30)
    known: set[tuple[int, ...]] = set()
    for _ in range(300):
        tokens = tuple(source.randrange(3) for _ in range(source.randrange(1, 12)))
        longest = max((k for k in range(len(tokens) + 1) if tokens[:k] in known), default=0)
        assert found(cache, tokens) == longest
        insert(cache, tokens)
        known.update(tokens[:k] for k in range(len(tokens) + 1))
    assert cache.nbytes == TOKEN_BYTES * (len(known) - 1)


def test_a_match_stops_at_its_limit() -> None:
    cache = RadixCache(1 << 20)
    insert(cache, (1, 2, 3, 4))
    insert(cache, (1, 2, 9))
    for limit in range(5):
        assert cache.match((1, 2, 3, 4), limit).length == limit


def test_the_least_recently_used_is_evicted_first() -> None:
    cache = RadixCache(9 * TOKEN_BYTES)
    for first in (1, 2, 3):
        insert(cache, (first, 0, 0))
    assert found(cache, (1, 0, 0)) == 3
    insert(cache, (4, 0, 0))
    assert [found(cache, (first, 0, 0)) for first in (1, 2, 3, 4)] == [3, 0, 3, 3]


def test_leaves_are_evicted_before_the_prefix_they_share() -> None:
    cache = RadixCache(8 * TOKEN_BYTES)
    insert(cache, (1, 1, 1, 1, 2, 2))
    insert(cache, (1, 1, 1, 1, 3, 3))
    insert(cache, (7, 7))
    assert found(cache, (7, 7)) == 2
    assert found(cache, (1, 1, 1, 1, 3, 3)) == 6
    assert found(cache, (1, 1, 1, 1, 2, 2)) == 4


def test_a_sequence_never_evicts_its_own_prefix() -> None:
    cache = RadixCache(6 * TOKEN_BYTES)
    insert(cache, (1, 2, 3, 4))
    insert(cache, (1, 2, 3, 4, 5, 6, 7))
    assert found(cache, (1, 2, 3, 4, 5, 6, 7)) == 4
    insert(cache, (9,) * 7)
    assert found(cache, (9,) * 7) == 0


def test_a_match_outlives_the_eviction_of_its_nodes() -> None:
    cache = RadixCache(4 * TOKEN_BYTES)
    insert(cache, (1, 2, 3, 4))
    prefix = cache.match((1, 2, 3, 4), 4)
    insert(cache, (5, 6, 7, 8))
    assert found(cache, (1, 2, 3, 4)) == 0
    copy = torch.zeros(1, 1, 1, 4, 1)
    prefix.copy_to(copy)
    assert torch.equal(copy, kv((1, 2, 3, 4)))


def test_bytes_stay_within_the_capacity() -> None:
    source = random.Random(1)
    cache = RadixCache(100 * TOKEN_BYTES)
    for _ in range(500):
        tokens = tuple(source.randrange(4) for _ in range(source.randrange(1, 30)))
        insert(cache, tokens)
        assert cache.nbytes <= cache.capacity
        found(cache, tokens)
    assert cache.nbytes > cache.capacity // 2


def test_no_capacity_keeps_nothing() -> None:
    cache = RadixCache(0)
    insert(cache, (1, 2))
    assert (cache.nbytes, found(cache, (1, 2))) == (0, 0)
