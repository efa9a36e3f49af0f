"""Batched step values for one PPM version: all waiting requests share a forward pass.

A request is one segment: what the prefix cache lacks of its prefix, then its steps side by side,
each seeing the prefix and itself. So a prefix is computed once for all its steps, and once for
all requests of a tree; every step's keys and values are kept for the prefixes that extend it.
"""

from collections import deque
from typing import NamedTuple

import torch

from rstar_async.engines.errors import BadRequest
from rstar_async.wire.payloads import Score, Scored, TokenIds
from workers.engines.base import Counters
from workers.engines.local.attention import Pass, Segment
from workers.engines.local.model_runner import ModelRunner
from workers.engines.local.radix_cache import Prefix, RadixCache, waits_for
from workers.engines.local.sequence import PendingRequest
from workers.engines.local.settings import LocalSettings
from workers.engines.local.versions import Activity

PendingScore = PendingRequest[Score, Scored]


class ScoringTask(NamedTuple):
    """One request in a pass; `ends` are where its steps end in `segment.kv`."""

    pending: PendingScore
    prefix: tuple[int, ...]
    steps: list[TokenIds]
    segment: Segment
    ends: list[int]


class Scoring:
    """The waiting requests and the prefix cache of one version."""

    def __init__(self, model: ModelRunner, counters: Counters, settings: LocalSettings) -> None:
        self._model = model
        self._counters = counters
        self._cache = RadixCache(settings.cache_mib << 20)
        self._batch_tokens = settings.batch_tokens
        self._waiting: deque[PendingScore] = deque()

    @property
    def busy(self) -> bool:
        return bool(self._waiting)

    @property
    def activity(self) -> Activity:
        return Activity(waiting=len(self._waiting), cache_bytes=self._cache.nbytes)

    def start(self) -> None:
        self._model.start()

    def close(self) -> None:
        self._waiting.clear()
        self._cache = RadixCache(0)
        self._model.close()

    def add(self, pending: PendingScore) -> None:
        """Queue a request, or answer it at once if no step fits into the model's context."""
        try:
            self._model.limits.check_score(pending.request)
        except BadRequest as error:
            pending.fail(error)
            return
        if self._model.limits.fitting_steps(pending.request):
            self._waiting.append(pending)
        else:
            self._reply(pending, [], 0, 0)

    def step(self) -> None:
        """Answer as many requests as one pass takes."""
        tasks = self._admit()
        wanted, start = [], 0
        for task in tasks:
            wanted += [start + end - 1 - task.segment.past for end in task.ends]
            start += len(task.segment.ids)
        if not wanted:
            return
        values = self._model.at(Pass(None, [task.segment for task in tasks]), wanted)
        found = iter(values.float().squeeze(-1).tolist())
        for task in tasks:
            self._cache_steps(task)
            self._answer(task, [next(found) for _ in task.ends])

    def _admit(self) -> list[ScoringTask]:
        """Take requests in order while tokens last; one that shares a new prefix waits for it."""
        tasks: list[ScoringTask] = []
        later: list[PendingScore] = []
        budget = self._batch_tokens
        while self._waiting and budget > 0:
            pending = self._waiting.popleft()
            if pending.cancelled:
                continue
            prefix = tuple(pending.request.prefix)
            cached = self._cache.match(prefix, len(prefix))
            if self._cache.capacity and waits_for(
                prefix, cached.length, (task.prefix for task in tasks)
            ):
                later.append(pending)
                continue
            tasks.append(self._task_of(pending, prefix, cached))
            budget -= len(tasks[-1].segment.ids)
        self._waiting.extendleft(reversed(later))
        return tasks

    def _task_of(
        self, pending: PendingScore, prefix: tuple[int, ...], cached: Prefix
    ) -> ScoringTask:
        steps = self._model.limits.fitting_steps(pending.request)
        tokens = [*prefix, *(token for step in steps for token in step)]
        segment = self._model.segment(tokens, cached)
        new = range(cached.length, len(prefix))
        segment.positions = [*new, *(len(prefix) + i for step in steps for i in range(len(step)))]
        ends, mask = _layout(len(prefix), steps)
        segment.mask = mask[cached.length :]
        return ScoringTask(pending, prefix, steps, segment, ends)

    def _cache_steps(self, task: ScoringTask) -> None:
        """Keep the prefix and each step after it."""
        self._cache.insert(task.prefix, task.segment.part)
        start = len(task.prefix)
        for step, end in zip(task.steps, task.ends, strict=True):
            whole = (*task.prefix, *step)
            self._cache.insert(whole, _Branch(task.segment, len(task.prefix), start).part)
            start = end

    def _answer(self, task: ScoringTask, values: list[float]) -> None:
        cached, tokens = task.segment.past, task.segment.kv.shape[-2]
        self._counters.count(tokens, cached)
        self._reply(task.pending, values, tokens, cached)

    def _reply(self, pending: PendingScore, values: list[float], tokens: int, cached: int) -> None:
        request = pending.request
        all_values = self._model.limits.with_nan(request, values)
        pending.answer(Scored(request.model, all_values, tokens, cached, pending.seconds))


class _Branch(NamedTuple):
    """The sequence prefix + step, of which the step is at `start` in the segment's `kv`."""

    segment: Segment
    prefix: int
    start: int

    def part(self, first: int, last: int) -> torch.Tensor:
        shift = self.start - self.prefix
        step = self.segment.part(max(first, self.prefix) + shift, last + shift)
        if first >= self.prefix:
            return step
        return torch.cat([self.segment.part(first, self.prefix), step], dim=-2)


def _layout(prefix: int, steps: list[TokenIds]) -> tuple[list[int], torch.Tensor]:
    """Where each step ends, and which tokens see which: `key <= query < end of the key's step`."""
    ends: list[int] = []
    for step in steps:
        ends.append((ends[-1] if ends else prefix) + len(step))
    total = ends[-1] if ends else prefix
    position = torch.arange(total)
    last = torch.full((total,), total)
    start = prefix
    for end in ends:
        last[start:end] = end
        start = end
    mask = (position[None, :] <= position[:, None]) & (position[:, None] < last[None, :])
    return ends, mask
