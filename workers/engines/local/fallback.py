"""The slow way that works for any model: transformers' own `generate` and forward, no reuse.

For models whose cache is not one plain key and value per token (sliding windows, state spaces,
attention outside transformers' common interface). Requests run one after the other, the samples
of one request together. Draws and stops are the same as everywhere else.
"""

from collections import deque
from typing import Any

import numpy as np
import torch
from transformers import (
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    PreTrainedModel,
    StoppingCriteria,
    StoppingCriteriaList,
)

from rstar_async.engines.errors import BadRequest
from rstar_async.wire.payloads import Generate, Generated, Sample, Score, Scored
from workers.engines.base import Counters
from workers.engines.local.loader import end_ids, limits_of
from workers.engines.local.sampler import draw, stream_key, uniforms
from workers.engines.local.sequence import PendingRequest
from workers.engines.local.versions import Activity
from workers.engines.stops import Decode, Finish, StopRule

PendingGenerate = PendingRequest[Generate, Generated]
PendingScore = PendingRequest[Score, Scored]


class FallbackGeneration:
    """One version, one request at a time."""

    def __init__(
        self, model: PreTrainedModel, device: torch.device, decode: Decode, counters: Counters
    ) -> None:
        self._model: Any = model
        self._device = device
        self._limits = limits_of(model)
        self._decode = decode
        self._counters = counters
        self._end_ids = end_ids(model)
        self._queue: deque[PendingGenerate] = deque()
        # Sampling is done here: the generation config of the checkpoint must not change it.
        model.generation_config = GenerationConfig()

    @property
    def busy(self) -> bool:
        return bool(self._queue)

    @property
    def activity(self) -> Activity:
        return Activity(waiting=len(self._queue))

    def start(self) -> None:
        self._model.to(self._device)

    def add(self, pending: PendingGenerate) -> None:
        """Queue a request, or fail it at once if this model can never answer it."""
        try:
            self._limits.check_generate(pending.request)
        except BadRequest as error:
            pending.fail(error)
        else:
            self._queue.append(pending)

    def step(self) -> None:
        pending = self._queue.popleft()
        if not pending.cancelled:
            self._generate(pending)

    def close(self) -> None:
        self._queue.clear()

    def _generate(self, pending: PendingGenerate) -> None:
        request = pending.request
        limit = self._limits.max_new_tokens(request)
        stops = StopRule(request.sampling, self._end_ids, limit, self._decode)
        collector = _SampleCollector(pending, stops)
        if limit > 0:
            self._run(request, collector, limit)
        if pending.cancelled:
            return
        samples = [collector.sample(index, self._decode) for index in range(request.n)]
        self._counters.count(len(request.prompt), 0, sum(len(s.tokens) for s in samples))
        pending.answer(Generated(request.model, samples, len(request.prompt), 0, pending.seconds))

    def _run(self, request: Generate, samples: "_SampleCollector", limit: int) -> None:
        prompt = torch.tensor([request.prompt], device=self._device).expand(request.n, -1)
        config = GenerationConfig(do_sample=False, max_new_tokens=limit, pad_token_id=0)
        self._model.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            generation_config=config,
            logits_processor=LogitsProcessorList([_ForcedDraws(request)]),
            stopping_criteria=StoppingCriteriaList([samples]),
        )


class _ForcedDraws(LogitsProcessor):
    """Leaves each sample only the token that was drawn here."""

    def __init__(self, request: Generate) -> None:
        samples = request.n
        self._prompt = len(request.prompt)
        self._keys = np.array([stream_key(request.seed, i) for i in range(samples)], np.uint64)
        self._temperature = np.full(samples, request.sampling.temperature, np.float32)
        self._top_p = np.full(samples, request.sampling.top_p, np.float32)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        positions = np.full(len(self._keys), input_ids.shape[1] - self._prompt, np.int64)
        chance = uniforms(self._keys, positions)
        tokens = draw(scores, self._temperature, self._top_p, chance)
        only = torch.full_like(scores, float("-inf"))
        return only.scatter_(1, torch.from_numpy(tokens).to(scores.device)[:, None], 0.0)


class _SampleCollector(StoppingCriteria):
    """Collects each sample until its stop; ends at once when the request is cancelled."""

    def __init__(self, pending: PendingGenerate, stops: StopRule) -> None:
        self._pending = pending
        self._stops = stops
        self._tokens: list[list[int]] = [[] for _ in range(pending.request.n)]
        self._finish: list[Finish | None] = [None] * pending.request.n

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        for index, token in enumerate(input_ids[:, -1].tolist()):
            if self._finish[index] is None:
                self._tokens[index].append(token)
                self._finish[index] = self._stops.verdict(self._tokens[index])
        over = [self._pending.cancelled or finish is not None for finish in self._finish]
        return torch.tensor(over, device=input_ids.device)

    def sample(self, index: int, decode: Decode) -> Sample:
        finish = self._finish[index] or "length"
        tokens = self._tokens[index][:-1] if finish == "eos" else self._tokens[index]
        return Sample(tokens, decode(tokens), finish)


class FallbackScoring:
    """One version, one step at a time through transformers' own forward."""

    def __init__(self, model: PreTrainedModel, device: torch.device, counters: Counters) -> None:
        self._model: Any = model
        self._device = device
        self._limits = limits_of(model)
        self._counters = counters
        self._queue: deque[PendingScore] = deque()

    @property
    def busy(self) -> bool:
        return bool(self._queue)

    @property
    def activity(self) -> Activity:
        return Activity(waiting=len(self._queue))

    def start(self) -> None:
        self._model.to(self._device)

    def add(self, pending: PendingScore) -> None:
        """Queue a request, or fail it at once if this model can never answer it."""
        try:
            self._limits.check_score(pending.request)
        except BadRequest as error:
            pending.fail(error)
        else:
            self._queue.append(pending)

    def step(self) -> None:
        pending = self._queue.popleft()
        if pending.cancelled:
            return
        request, steps = pending.request, self._limits.fitting_steps(pending.request)
        values = [self._value([*request.prefix, *step]) for step in steps]
        tokens = len(request.prefix) + sum(map(len, steps))
        self._counters.count(tokens, 0)
        found = self._limits.with_nan(request, values)
        pending.answer(Scored(request.model, found, tokens, 0, pending.seconds))

    def close(self) -> None:
        self._queue.clear()

    def _value(self, tokens: list[int]) -> float:
        ids = torch.tensor([tokens], device=self._device)
        decoder = getattr(self._model, self._model.base_model_prefix)
        hidden = decoder(input_ids=ids, use_cache=False).last_hidden_state
        return float(self._model.score(hidden[0, -1]).float())
