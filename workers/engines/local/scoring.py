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
from workers.engines.local.versions import Load

Asked = PendingRequest[Score, Scored]


class Task(NamedTuple):
    """One request in a pass; `ends` are where its steps end in `segment.memory`."""

    work: Asked
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
        self._waiting: deque[Asked] = deque()

    @property
    def busy(self) -> bool:
        return bool(self._waiting)

    @property
    def state(self) -> Load:
        return Load(waiting=len(self._waiting), cache_bytes=self._cache.nbytes)

    def start(self) -> None:
        self._model.start()

    def close(self) -> None:
        self._waiting.clear()
        self._cache = RadixCache(0)
        self._model.close()

    def add(self, work: Asked) -> None:
        """Queue a request, or settle it at once if there is nothing that this model can read."""
        try:
            self._model.bounds.check_score(work.request)
        except BadRequest as error:
            work.fail(error)
            return
        if self._model.bounds.readable(work.request):
            self._waiting.append(work)
        else:
            self._settle(work, [], 0, 0)

    def step(self) -> None:
        """Answer as many requests as one pass takes."""
        tasks = self._take()
        wanted, start = [], 0
        for task in tasks:
            wanted += [start + end - 1 - task.segment.past for end in task.ends]
            start += len(task.segment.ids)
        if not wanted:
            return
        values = self._model.at(Pass(None, [task.segment for task in tasks]), wanted)
        found = iter(values.float().squeeze(-1).tolist())
        for task in tasks:
            self._remember(task)
            self._answer(task, [next(found) for _ in task.ends])

    def _take(self) -> list[Task]:
        """Requests in order while tokens last; one that shares a new prefix waits a pass for it."""
        tasks: list[Task] = []
        later: list[Asked] = []
        budget = self._batch_tokens
        while self._waiting and budget > 0:
            work = self._waiting.popleft()
            if work.cancelled:
                continue
            prefix = tuple(work.request.prefix)
            known = self._cache.match(prefix, len(prefix))
            if self._cache.capacity and waits_for(
                prefix, known.length, (task.prefix for task in tasks)
            ):
                later.append(work)
                continue
            tasks.append(self._task(work, prefix, known))
            budget -= len(tasks[-1].segment.ids)
        self._waiting.extendleft(reversed(later))
        return tasks

    def _task(self, work: Asked, prefix: tuple[int, ...], known: Prefix) -> Task:
        steps = self._model.bounds.readable(work.request)
        tokens = [*prefix, *(token for step in steps for token in step)]
        segment = self._model.segment(tokens, known)
        new = range(known.length, len(prefix))
        segment.positions = [*new, *(len(prefix) + i for step in steps for i in range(len(step)))]
        ends, sees = _side_by_side(len(prefix), steps)
        segment.sees = sees[known.length :]
        return Task(work, prefix, steps, segment, ends)

    def _remember(self, task: Task) -> None:
        """Keep the prefix and each step after it."""
        self._cache.insert(task.prefix, task.segment.part)
        start = len(task.prefix)
        for step, end in zip(task.steps, task.ends, strict=True):
            whole = (*task.prefix, *step)
            self._cache.insert(whole, _Branch(task.segment, len(task.prefix), start).part)
            start = end

    def _answer(self, task: Task, values: list[float]) -> None:
        cached, tokens = task.segment.past, task.segment.memory.shape[-2]
        self._counters.count(tokens, cached)
        self._settle(task.work, values, tokens, cached)

    def _settle(self, work: Asked, values: list[float], tokens: int, cached: int) -> None:
        request = work.request
        found = self._model.bounds.in_place(request, values)
        work.answer(Scored(request.model, found, tokens, cached, work.seconds))


class _Branch(NamedTuple):
    """The sequence prefix + step, of which the step lies at `start` in the segment's memory."""

    segment: Segment
    prefix: int
    start: int

    def part(self, first: int, last: int) -> torch.Tensor:
        shift = self.start - self.prefix
        step = self.segment.part(max(first, self.prefix) + shift, last + shift)
        if first >= self.prefix:
            return step
        return torch.cat([self.segment.part(first, self.prefix), step], dim=-2)


def _side_by_side(prefix: int, steps: list[TokenIds]) -> tuple[list[int], torch.Tensor]:
    """Where each step ends, and who sees whom: `key <= query < end of the key's step`."""
    ends: list[int] = []
    for step in steps:
        ends.append((ends[-1] if ends else prefix) + len(step))
    total = ends[-1] if ends else prefix
    place = torch.arange(total)
    last = torch.full((total,), total)
    start = prefix
    for end in ends:
        last[start:end] = end
        start = end
    sees = (place[None, :] <= place[:, None]) & (place[:, None] < last[None, :])
    return ends, sees
