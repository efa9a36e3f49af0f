"""The cache of interpreters, without interpreters."""

from dataclasses import dataclass

from workers.sandbox.snapshots import Snapshots, chain


@dataclass(eq=False)
class Paper:
    pins: int = 0


def keys(count):
    return chain(("scope",), [f"x = {number}" for number in range(count)])[1:]


def test_a_program_is_known_by_all_of_its_steps_in_order():
    assert chain(("s",), ["a", "b"])[:2] == chain(("s",), ["a", "c"])[:2]
    assert len({*chain(("s",), ["a", "b"]), *chain(("s",), ["b", "a"])}) == 5
    assert chain(("s",), ["ab", "c"])[-1] != chain(("s",), ["a", "bc"])[-1]
    assert not {*chain(("s",), ["a"])} & {*chain(("t",), ["a"])}


def test_any_text_can_be_a_key():
    assert len({*chain(("\0",), ["", "\ud800", "∑"])}) == 4


def test_the_least_recently_used_is_evicted_first():
    cache, (a, b, c) = Snapshots(2, 100), keys(3)
    first, second, third = Paper(), Paper(), Paper()
    assert cache.hold(a, first, "t", 1) == []
    assert cache.hold(b, second, "t", 1) == []
    assert cache.get(a) is first
    assert cache.hold(c, third, "t", 1) == [second]
    assert cache.get(b) is None


def test_memory_bounds_the_cache_too():
    cache, (a, b) = Snapshots(9, 10), keys(2)
    first, second = Paper(), Paper()
    cache.hold(a, first, "t", 6)
    assert cache.hold(b, second, "t", 6) == [first]
    assert cache.mib == 6


def test_a_pinned_node_is_not_evicted():
    cache, (a, b) = Snapshots(1, 100), keys(2)
    used, new = Paper(pins=1), Paper()
    cache.hold(a, used, "t", 1)
    assert cache.hold(b, new, "t", 1) == [new]
    assert cache.get(a) is used
    assert cache.halve() == []


def test_a_second_node_of_the_same_program_is_released():
    cache, (a,) = Snapshots(9, 9), keys(1)
    first, second = Paper(), Paper()
    cache.hold(a, first, "t", 1)
    assert cache.hold(a, second, "t", 1) == [second]
    assert cache.get(a) is first


def test_ending_a_tree_drops_its_nodes():
    cache, (a, b) = Snapshots(9, 9), keys(2)
    mine, other = Paper(), Paper()
    cache.hold(a, mine, "mine", 1)
    cache.hold(b, other, "other", 1)
    assert cache.end_tree("mine") == [mine]
    assert (len(cache), cache.mib, cache.get(b)) == (1, 1, other)


def test_halving_evicts_the_older_half():
    cache, papers = Snapshots(9, 9), [Paper() for _ in range(4)]
    for key, paper in zip(keys(4), papers, strict=True):
        cache.hold(key, paper, "t", 1)
    assert cache.halve() == papers[:2]
    cache.forget(papers[3])
    assert cache.clear() == [papers[2]]
