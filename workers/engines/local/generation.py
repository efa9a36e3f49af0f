"""Continuous batching for one model version: rows join and leave between any two tokens.

A step is one forward pass over the next token of every row and the new prompt tokens of the
requests just admitted. A prompt's keys and values are looked up in the prefix cache, completed,
kept there, and shared by the request's samples; a finished sample's own are kept there too, so
the next step of a tree computes only its new tokens.
"""

from collections import deque

import numpy as np
import torch

from rstar_async.engines.errors import BadRequest
from workers.engines.base import Counters
from workers.engines.local.attention import Pass, Segment
from workers.engines.local.kv_cache import KVCache
from workers.engines.local.model_runner import ModelRunner
from workers.engines.local.radix_cache import RadixCache, waits_for
from workers.engines.local.sampler import draw, uniforms
from workers.engines.local.sequence import Asked, Sequence, SequenceGroup
from workers.engines.local.settings import LocalSettings
from workers.engines.local.versions import Load
from workers.engines.stops import Decode, StopRule

Arrival = tuple[SequenceGroup, Segment]


class Generation:
    """The rows, the waiting requests and the prefix cache of one version."""

    def __init__(
        self,
        model: ModelRunner,
        decode: Decode,
        counters: Counters,
        settings: LocalSettings,
    ) -> None:
        self._model = model
        self._decode = decode
        self._counters = counters
        self._cache = RadixCache(settings.cache_mib << 20)
        self._max_rows = settings.rows
        self._prefill_tokens = settings.prefill_tokens
        self._waiting: deque[SequenceGroup] = deque()
        self._seating = KVCache(model.kv_shape)
        self._rows = 0

    @property
    def busy(self) -> bool:
        return bool(self._rows or self._waiting)

    @property
    def state(self) -> Load:
        return Load(self._rows, len(self._waiting), self._cache.nbytes)

    def start(self) -> None:
        self._model.start()

    def close(self) -> None:
        self._waiting.clear()
        self._seating = KVCache(self._model.kv_shape)
        self._cache = RadixCache(0)
        self._model.close()

    def add(self, work: Asked) -> None:
        """Queue a request, or fail it at once if this model can never answer it."""
        try:
            job = self._job(work)
        except BadRequest as error:
            work.fail(error)
            return
        if job.stops.limit > 0:
            self._waiting.append(job)
            return
        for row in job.rows:
            row.end("length", self._decode)
        self._answer(job)

    def step(self) -> None:
        """One token for every row, and the first token of what was admitted."""
        self._drop_cancelled()
        arrivals = self._admit()
        seating, rows = self._seating.begin(), self._seating.rows()
        if not rows and not arrivals:
            return
        logits = self._model.last(Pass(seating, [segment for _, segment in arrivals]))
        self._remember_prompts(arrivals)
        tokens = self._draw(logits, rows, arrivals)
        self._advance(rows, tokens[: len(rows)])
        self._begin_rows(arrivals, tokens[len(rows) :])

    def _job(self, work: Asked) -> SequenceGroup:
        bounds = self._model.bounds
        bounds.check_generate(work.request)
        limit = bounds.room(work.request)
        stops = StopRule(work.request.sampling, self._model.ends, limit, self._decode)
        return SequenceGroup(work, stops)

    # -- admission

    def _admit(self) -> list[Arrival]:
        """Take requests in order while rows and prompt tokens last.

        One that shares an uncomputed prefix with a request just taken waits a step for it.
        """
        arrivals: list[Arrival] = []
        later: list[SequenceGroup] = []
        rows, budget = self._rows, self._prefill_tokens
        while self._waiting and budget > 0:
            job = self._waiting[0]
            if rows and rows + len(job.rows) > self._max_rows:
                break
            self._waiting.popleft()
            prefix = self._cache.match(job.prompt, len(job.prompt) - 1)
            if self._cache.capacity and waits_for(
                job.prompt, prefix.length, (other.prompt for other, _ in arrivals)
            ):
                later.append(job)
                continue
            job.cached = prefix.length
            arrivals.append((job, self._model.segment(job.prompt, prefix)))
            rows += len(job.rows)
            budget -= len(job.prompt) - prefix.length
        self._waiting.extendleft(reversed(later))
        self._rows = rows
        return arrivals

    def _drop_cancelled(self) -> None:
        for row in self._seating.rows():
            if row.job.work.cancelled:
                self._leave(row)
        if any(job.work.cancelled for job in self._waiting):
            self._waiting = deque(job for job in self._waiting if not job.work.cancelled)

    def _remember_prompts(self, arrivals: list[Arrival]) -> None:
        for job, segment in arrivals:
            self._cache.insert(job.prompt, segment.part)

    # -- tokens

    def _draw(
        self, logits: torch.Tensor, rows: list[Sequence], arrivals: list[Arrival]
    ) -> list[int]:
        """The next token of every decoding row, then of every row of every arrival."""
        fresh = [row for job, _ in arrivals for row in job.rows]
        if len(fresh) > len(arrivals):
            counts = [1] * len(rows) + [len(job.rows) for job, _ in arrivals]
            logits = logits.repeat_interleave(torch.tensor(counts, device=logits.device), dim=0)
        rows = rows + fresh
        keys = np.array([row.key for row in rows], np.uint64)
        positions = np.array([len(row.tokens) for row in rows], np.int64)
        temperature = np.array([row.job.sampling.temperature for row in rows], np.float32)
        top_p = np.array([row.job.sampling.top_p for row in rows], np.float32)
        tokens = draw(logits, temperature, top_p, uniforms(keys, positions))
        return [int(token) for token in tokens]

    def _advance(self, rows: list[Sequence], tokens: list[int]) -> None:
        """Give every decoding row its token; those that end leave."""
        self._seating.advance()
        for row, token in zip(rows, tokens, strict=True):
            if self._ends(row, token):
                self._remember(row)
                self._leave(row)
                self._answer(row.job)

    def _begin_rows(self, arrivals: list[Arrival], tokens: list[int]) -> None:
        """Seat the rows that go on after their first token."""
        drawn = iter(tokens)
        for job, segment in arrivals:
            going = [row for row in job.rows if not self._ends(row, next(drawn))]
            self._rows -= len(job.rows) - len(going)
            self._seating.join(segment.memory, going)
            self._answer(job)

    def _ends(self, row: Sequence, token: int) -> bool:
        row.tokens.append(token)
        finish = row.job.stops.verdict(row.tokens)
        if finish is not None:
            row.end(finish, self._decode)
        return finish is not None

    def _remember(self, row: Sequence) -> None:
        """Keep an ended row's keys and values for the next step of its tree."""
        known = (*row.job.prompt, *row.tokens)[: self._seating.known(row)]
        self._cache.insert(known, lambda start, end: self._seating.part(row, start, end))

    def _leave(self, row: Sequence) -> None:
        self._seating.leave(row)
        self._rows -= 1

    def _answer(self, job: SequenceGroup) -> None:
        reply = job.reply()
        if reply is not None:
            new = sum(len(sample.tokens) for sample in reply.samples)
            self._counters.count(reply.prompt_tokens, reply.cached_tokens, new)
            job.work.answer(reply)
