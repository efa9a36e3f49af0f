"""Continuous batching for one model version: sequences come and go between any two tokens.

A step is one forward pass over the next token of every sequence and the new prompt tokens of the
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
from workers.engines.local.sequence import PendingGenerate, Sequence, SequenceGroup
from workers.engines.local.settings import LocalSettings
from workers.engines.local.versions import Activity
from workers.engines.stops import Decode, StopRule

Admitted = tuple[SequenceGroup, Segment]


class Generation:
    """The running sequences, the waiting requests and the prefix cache of one version."""

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
        self._max_running = settings.rows
        self._prefill_tokens = settings.prefill_tokens
        self._waiting: deque[SequenceGroup] = deque()
        self._kv = KVCache(model.kv_shape)
        self._running = 0

    @property
    def busy(self) -> bool:
        return bool(self._running or self._waiting)

    @property
    def activity(self) -> Activity:
        return Activity(self._running, len(self._waiting), self._cache.nbytes)

    def start(self) -> None:
        self._model.start()

    def close(self) -> None:
        self._waiting.clear()
        self._kv = KVCache(self._model.kv_shape)
        self._cache = RadixCache(0)
        self._model.close()

    def add(self, pending: PendingGenerate) -> None:
        """Queue a request, or fail it at once if this model can never answer it."""
        try:
            group = self._group_of(pending)
        except BadRequest as error:
            pending.fail(error)
            return
        if group.stops.limit > 0:
            self._waiting.append(group)
            return
        for sequence in group.sequences:
            sequence.end("length", self._decode)
        self._answer(group)

    def step(self) -> None:
        """One token for every sequence, and the first token of what was admitted."""
        self._drop_cancelled()
        admitted = self._admit()
        decoding, sequences = self._kv.begin(), self._kv.sequences()
        if not sequences and not admitted:
            return
        logits = self._model.last(Pass(decoding, [segment for _, segment in admitted]))
        self._cache_prompts(admitted)
        tokens = self._draw(logits, sequences, admitted)
        self._advance(sequences, tokens[: len(sequences)])
        self._start_sequences(admitted, tokens[len(sequences) :])

    def _group_of(self, pending: PendingGenerate) -> SequenceGroup:
        limits = self._model.limits
        limits.check_generate(pending.request)
        limit = limits.max_new_tokens(pending.request)
        stops = StopRule(pending.request.sampling, self._model.ends, limit, self._decode)
        return SequenceGroup(pending, stops)

    # -- admission

    def _admit(self) -> list[Admitted]:
        """Admit requests in order while sequences and prompt tokens are within their limits.

        One that shares an uncomputed prefix with a request just admitted waits a step for it.
        """
        admitted: list[Admitted] = []
        later: list[SequenceGroup] = []
        sequences, budget = self._running, self._prefill_tokens
        while self._waiting and budget > 0:
            group = self._waiting[0]
            if sequences and sequences + len(group.sequences) > self._max_running:
                break
            self._waiting.popleft()
            prefix = self._cache.match(group.prompt, len(group.prompt) - 1)
            if self._cache.capacity and waits_for(
                group.prompt, prefix.length, (other.prompt for other, _ in admitted)
            ):
                later.append(group)
                continue
            group.cached = prefix.length
            admitted.append((group, self._model.segment(group.prompt, prefix)))
            sequences += len(group.sequences)
            budget -= len(group.prompt) - prefix.length
        self._waiting.extendleft(reversed(later))
        self._running = sequences
        return admitted

    def _drop_cancelled(self) -> None:
        for sequence in self._kv.sequences():
            if sequence.group.pending.cancelled:
                self._remove(sequence)
        if any(group.pending.cancelled for group in self._waiting):
            self._waiting = deque(group for group in self._waiting if not group.pending.cancelled)

    def _cache_prompts(self, admitted: list[Admitted]) -> None:
        for group, segment in admitted:
            self._cache.insert(group.prompt, segment.part)

    # -- tokens

    def _draw(
        self, logits: torch.Tensor, sequences: list[Sequence], admitted: list[Admitted]
    ) -> list[int]:
        """The next token of every decoding sequence, then of every one just admitted."""
        new = [sequence for group, _ in admitted for sequence in group.sequences]
        if len(new) > len(admitted):
            counts = [1] * len(sequences) + [len(group.sequences) for group, _ in admitted]
            logits = logits.repeat_interleave(torch.tensor(counts, device=logits.device), dim=0)
        sequences = sequences + new
        keys = np.array([sequence.key for sequence in sequences], np.uint64)
        positions = np.array([len(sequence.tokens) for sequence in sequences], np.int64)
        sampling = [sequence.group.sampling for sequence in sequences]
        temperature = np.array([each.temperature for each in sampling], np.float32)
        top_p = np.array([each.top_p for each in sampling], np.float32)
        tokens = draw(logits, temperature, top_p, uniforms(keys, positions))
        return [int(token) for token in tokens]

    def _advance(self, sequences: list[Sequence], tokens: list[int]) -> None:
        """Give every decoding sequence its token; those that end are removed."""
        self._kv.advance()
        for sequence, token in zip(sequences, tokens, strict=True):
            if self._append(sequence, token):
                self._cache_sequence(sequence)
                self._remove(sequence)
                self._answer(sequence.group)

    def _start_sequences(self, admitted: list[Admitted], tokens: list[int]) -> None:
        """Add the sequences that go on after their first token to the cache."""
        drawn = iter(tokens)
        for group, segment in admitted:
            going_on = [s for s in group.sequences if not self._append(s, next(drawn))]
            self._running -= len(group.sequences) - len(going_on)
            self._kv.add(segment.kv, going_on)
            self._answer(group)

    def _append(self, sequence: Sequence, token: int) -> bool:
        """Add a token; whether the sequence ends with it."""
        sequence.tokens.append(token)
        finish = sequence.group.stops.verdict(sequence.tokens)
        if finish is not None:
            sequence.end(finish, self._decode)
        return finish is not None

    def _cache_sequence(self, sequence: Sequence) -> None:
        """Keep an ended sequence's keys and values for the next step of its tree."""
        known = (*sequence.group.prompt, *sequence.tokens)[: self._kv.known(sequence)]
        self._cache.insert(known, lambda start, end: self._kv.part(sequence, start, end))

    def _remove(self, sequence: Sequence) -> None:
        self._kv.remove(sequence)
        self._running -= 1

    def _answer(self, group: SequenceGroup) -> None:
        reply = group.reply()
        if reply is not None:
            new = sum(len(sample.tokens) for sample in reply.samples)
            self._counters.count(reply.prompt_tokens, reply.cached_tokens, new)
            group.pending.answer(reply)
