"""The simulated engines of `benchmarks.saturation`: as fast as published; nobody is forgotten."""

import pytest

from benchmarks.saturation.batch import QUANTUM, Batch, Request
from benchmarks.saturation.curve import PUBLISHED, fitted


def run(batch: Batch) -> tuple[float, list[Request]]:
    """Until nobody is left: seconds, and the requests in the order in which they ended."""
    seconds, ended = 0.0, []
    while (quantum := batch.begin_quantum()) is not None:
        seconds += quantum
        ended += batch.end_quantum()
    return seconds, ended


@pytest.mark.parametrize("measured", PUBLISHED)
def test_the_curve_goes_through_what_was_published(measured):
    assert fitted().rate(measured) == pytest.approx(measured.rate, rel=1e-6)


def test_nothing_costs_less_than_nothing():
    assert min(fitted()) > 0


@pytest.mark.parametrize("measured", PUBLISHED)
def test_a_batch_that_is_filled_once_takes_the_published_time(measured):
    batch = Batch(fitted(), limit=measured.batch)
    for _ in range(measured.batch):
        batch.add(Request([measured.output], measured.prompt, fresh=measured.prompt))
    seconds, ended = run(batch)
    assert len(ended) == measured.batch
    assert measured.batch * measured.output / seconds == pytest.approx(measured.rate, rel=0.02)


def test_a_request_ends_with_its_longest_sequence():
    batch = Batch(fitted(), limit=8)
    long, short = Request([4, 400], 10, 10), Request([40, 40], 10, 10)
    batch.add(long)
    batch.add(short)
    assert run(batch)[1] == [short, long]


def test_who_finds_no_place_waits_for_one():
    batch = Batch(fitted(), limit=2)
    first, second = Request([8, 8], 10, 0), Request([8, 8], 10, 0)
    batch.add(first)
    batch.add(second)
    seconds, ended = run(batch)
    assert ended == [first, second]
    assert batch.totals.busy == pytest.approx(seconds)
    assert (batch.totals.tokens, batch.totals.sequences) == (32, 4)
    assert 8 % QUANTUM == 0


def test_an_empty_batch_asks_for_no_time():
    assert Batch(fitted(), limit=2).begin_quantum() is None
