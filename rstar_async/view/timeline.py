"""Where the time of a run went, in slices of equal length: rounds, searches, workers, trainer.

Whatever the size of the run, the answer has at most `MAX_SLICES` slices and `MAX_LANES` workers a
pool; of more workers there is one lane, their mean.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

import msgspec

from rstar_async.coordinator.activity import ActivityLine
from rstar_async.view.requests import TimelineRequest
from rstar_async.view.trainings import Curve
from storage import queries
from storage.database import Database
from storage.queries.timeline import SliceOfWaiting
from storage.records import Round

MAX_LANES = 32
LONGEST_WAIT_SECONDS = 600.0
MAX_FURTHER_SLICES = 1000

Phase: TypeAlias = Literal["searching", "training", "measuring"]
# The share of a slice, or a number of searches; None where nothing is known.
Shares: TypeAlias = list[float | None]


class Span(msgspec.Struct, frozen=True):
    """What went on from `begin` to `end`, in seconds since 1970."""

    kind: str
    round: int
    begin: float
    end: float


class WorkerLane(msgspec.Struct, frozen=True):
    pool: str
    name: str
    busy: Shares


class Timeline(msgspec.Struct, frozen=True):
    """From `begin` to `end`, of a run from `first` to `last`. `generating`, `executing` and
    `scoring` are mean numbers of searches that waited for this, `expansions` and `tokens` sums."""

    first: float
    last: float
    begin: float
    end: float
    slices: int
    phases: list[Span]
    trainings: list[Span]
    generating: list[float]
    executing: list[float]
    scoring: list[float]
    expansions: list[int]
    tokens: list[int]
    workers: list[WorkerLane]
    committing: Shares


def timeline(
    database: Database,
    request: TimelineRequest,
    lines: Sequence[ActivityLine],
    trainings: Iterable[Curve],
    now: float | None,
) -> Timeline | None:
    """None if there is no such run, or no round of it yet. `now` ends what is still going on; None
    if the run was stopped: then its last sign of life does."""
    rounds = database.read_once(queries.rounds_of, request.run)
    spans = _spans_of(trainings)
    if now is None:
        searched = database.read_once(queries.last_searched_at, request.run) or 0.0
        now = max([searched, *(line.at for line in lines[-1:]), *(span.end for span in spans)])
    phases = phases_of(rounds, now)
    if not phases:
        return None
    first, last = phases[0].begin, max(span.end for span in phases)
    begin, end = window(request.begin, request.end, first, last)
    length = (end - begin) / request.slices
    # What was complete later may have been waited for in this time.
    further = min(int(LONGEST_WAIT_SECONDS / length) + 1, MAX_FURTHER_SLICES)
    found = database.read_once(
        queries.waiting_slices, request.run, begin, length, request.slices + further
    )
    return Timeline(
        *(first, last, begin, end, request.slices),
        within(phases, begin, end),
        within(spans, begin, end),
        *waiting(found, request.slices, length),
        *worked(lines, begin, end, request.slices),
    )


def window(
    begin: float | None, end: float | None, first: float, last: float
) -> tuple[float, float]:
    """What was asked for, a second long at least, and everything if nothing was. Pure."""
    start = first if begin is None else begin
    return start, max(last if end is None else end, start + 1.0)


def phases_of(rounds: Sequence[Round], now: float) -> list[Span]:
    """What each round did when; clocks jump, so no span ends before it begins. Pure."""
    spans: list[Span] = []
    for round_ in rounds:
        times = (round_.started_at, round_.searched_at, round_.trained_at, round_.closed_at)
        kinds: tuple[Phase, ...] = ("searching", "training", "measuring")
        for kind, begin, end in zip(kinds, times, times[1:], strict=False):
            if begin is not None:
                spans.append(
                    Span(kind, round_.number, begin, max(begin, now if end is None else end))
                )
    return spans


def within(spans: Iterable[Span], begin: float, end: float) -> list[Span]:
    return [span for span in spans if span.begin < end and span.end > begin]


def waiting(
    found: Iterable[SliceOfWaiting], slices: int, length: float
) -> tuple[list[float], list[float], list[float], list[int], list[int]]:
    """Mean numbers of searches by what they waited for, expansions and tokens. Pure.

    The waits of the expansions that were complete in a slice lie before it, one after the other:
    each is spread over the time that it took on average.
    """
    means = ([0.0] * slices, [0.0] * slices, [0.0] * slices)
    counts = ([0] * slices, [0] * slices)
    for each in found:
        seconds = (each.generate_seconds, each.execute_seconds, each.score_seconds)
        end = (each.slice + 0.5) * length
        for values, total in zip(reversed(means), reversed(seconds), strict=True):
            begin = end - total / each.expansions
            _spread(values, total / length, begin / length, end / length)
            end = begin
        if each.slice < slices:
            for totals, count in zip(counts, (each.expansions, each.new_tokens), strict=True):
                totals[each.slice] = count
    generating, executing, scoring = ([round(value, 3) for value in values] for values in means)
    return generating, executing, scoring, *counts


def _spread(values: list[float], amount: float, begin: float, end: float) -> None:
    """Add `amount`, evenly from `begin` to `end`, to the values; positions count in values."""
    for place in range(max(0, int(begin)), min(len(values), int(end) + 1)):
        share = min(end, place + 1) - max(begin, place)
        if share > 0:
            values[place] += amount * share / (end - begin)


def worked(
    lines: Iterable[ActivityLine], begin: float, end: float, slices: int
) -> tuple[list[WorkerLane], Shares]:
    """The lanes of the workers, and the share of time in which a commit was waited for. Pure."""
    length = (end - begin) / slices
    known = [0.0] * slices
    committing = [0.0] * slices
    busy: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0] * slices)
    for line in lines:
        for place, seconds in _overlaps(line, begin, length, slices):
            known[place] += seconds
            committing[place] += seconds * line.committing
            for worker in line.workers:
                busy[worker.pool, worker.name][place] += seconds * worker.busy
    lanes = [WorkerLane(*key, _shares(busy[key], known)) for key in sorted(busy)]
    return _few(lanes), _shares(committing, known)


def _overlaps(
    line: ActivityLine, begin: float, length: float, slices: int
) -> Iterable[tuple[int, float]]:
    """The slices that a line reaches into, and for how many seconds."""
    start, end = line.at - line.seconds - begin, line.at - begin
    first, last = max(0, int(start // length)), min(slices - 1, int(end // length))
    for place in range(first, last + 1):
        seconds = min(end, (place + 1) * length) - max(start, place * length)
        if seconds > 0:
            yield place, seconds


def _shares(seconds: Sequence[float], known: Sequence[float]) -> Shares:
    return [
        round(some / of, 3) if of > 0 else None for some, of in zip(seconds, known, strict=True)
    ]


def _few(lanes: Sequence[WorkerLane]) -> list[WorkerLane]:
    """The lanes, or of a pool with too many workers their mean."""
    by_pool: dict[str, list[WorkerLane]] = defaultdict(list)
    for lane in lanes:
        by_pool[lane.pool].append(lane)
    return [
        lane
        for pool, own in by_pool.items()
        for lane in (own if len(own) <= MAX_LANES else [_mean_lane(pool, own)])
    ]


def _mean_lane(pool: str, lanes: Sequence[WorkerLane]) -> WorkerLane:
    columns = zip(*(lane.busy for lane in lanes), strict=True)
    means: Shares = []
    for column in columns:
        known = [share for share in column if share is not None]
        means.append(round(sum(known) / len(known), 3) if known else None)
    return WorkerLane(pool, f"{len(lanes)} workers", means)


def _spans_of(trainings: Iterable[Curve]) -> list[Span]:
    return [
        Span(each.phase, each.round, each.began, max(each.began, each.ended))
        for each in trainings
        if each.began is not None and each.ended is not None
    ]
