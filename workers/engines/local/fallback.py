"""The slow way that works for any model: transformers' own `generate` and forward, no reuse.

For models whose memory is not one plain key and value per token (sliding windows, state spaces,
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
from workers.engines.local.loader import bounds, end_ids
from workers.engines.local.sampler import draw, row_key, uniforms
from workers.engines.local.sequence import PendingRequest
from workers.engines.local.versions import Load
from workers.engines.stops import Decode, Finish, StopRule

Asked = PendingRequest[Generate, Generated]
Valued = PendingRequest[Score, Scored]


class FallbackGeneration:
    """One version, one request at a time."""

    def __init__(
        self, model: PreTrainedModel, device: torch.device, decode: Decode, counters: Counters
    ) -> None:
        self._model: Any = model
        self._device = device
        self._bounds = bounds(model)
        self._decode = decode
        self._counters = counters
        self._ends = end_ids(model)
        self._queue: deque[Asked] = deque()
        # The sampling is ours: nothing of the checkpoint's own habits may change it.
        model.generation_config = GenerationConfig()

    @property
    def busy(self) -> bool:
        return bool(self._queue)

    @property
    def state(self) -> Load:
        return Load(waiting=len(self._queue))

    def start(self) -> None:
        self._model.to(self._device)

    def add(self, work: Asked) -> None:
        """Queue a request, or fail it at once if this model can never answer it."""
        try:
            self._bounds.check_generate(work.request)
        except BadRequest as error:
            work.fail(error)
        else:
            self._queue.append(work)

    def step(self) -> None:
        work = self._queue.popleft()
        if not work.cancelled:
            self._generate(work)

    def close(self) -> None:
        self._queue.clear()

    def _generate(self, work: Asked) -> None:
        request = work.request
        limit = self._bounds.room(request)
        stops = StopRule(request.sampling, self._ends, limit, self._decode)
        samples = _Samples(work, stops)
        if limit > 0:
            self._run(request, samples, limit)
        if work.cancelled:
            return
        reply = [samples.sample(index, self._decode) for index in range(request.n)]
        self._counters.count(len(request.prompt), 0, sum(len(s.tokens) for s in reply))
        work.answer(Generated(request.model, reply, len(request.prompt), 0, work.seconds))

    def _run(self, request: Generate, samples: "_Samples", limit: int) -> None:
        prompt = torch.tensor([request.prompt], device=self._device).expand(request.n, -1)
        config = GenerationConfig(do_sample=False, max_new_tokens=limit, pad_token_id=0)
        self._model.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            generation_config=config,
            logits_processor=LogitsProcessorList([_Draws(request)]),
            stopping_criteria=StoppingCriteriaList([samples]),
        )


class _Draws(LogitsProcessor):
    """Makes our draw the only possible token of each row."""

    def __init__(self, request: Generate) -> None:
        rows = request.n
        self._prompt = len(request.prompt)
        self._keys = np.array([row_key(request.seed, i) for i in range(rows)], np.uint64)
        self._temperature = np.full(rows, request.sampling.temperature, np.float32)
        self._top_p = np.full(rows, request.sampling.top_p, np.float32)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        positions = np.full(len(self._keys), input_ids.shape[1] - self._prompt, np.int64)
        chance = uniforms(self._keys, positions)
        tokens = draw(scores, self._temperature, self._top_p, chance)
        only = torch.full_like(scores, float("-inf"))
        return only.scatter_(1, torch.from_numpy(tokens).to(scores.device)[:, None], 0.0)


class _Samples(StoppingCriteria):
    """Collects each row until its stop; ends at once when the work is cancelled."""

    def __init__(self, work: Asked, stops: StopRule) -> None:
        self._work = work
        self._stops = stops
        self._tokens: list[list[int]] = [[] for _ in range(work.request.n)]
        self._finish: list[Finish | None] = [None] * work.request.n

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        for row, token in enumerate(input_ids[:, -1].tolist()):
            if self._finish[row] is None:
                self._tokens[row].append(token)
                self._finish[row] = self._stops.verdict(self._tokens[row])
        over = [self._work.cancelled or finish is not None for finish in self._finish]
        return torch.tensor(over, device=input_ids.device)

    def sample(self, row: int, decode: Decode) -> Sample:
        finish = self._finish[row] or "length"
        tokens = self._tokens[row][:-1] if finish == "eos" else self._tokens[row]
        return Sample(tokens, decode(tokens), finish)


class FallbackScoring:
    """One version, one step at a time through transformers' own forward."""

    def __init__(self, model: PreTrainedModel, device: torch.device, counters: Counters) -> None:
        self._model: Any = model
        self._device = device
        self._bounds = bounds(model)
        self._counters = counters
        self._queue: deque[Valued] = deque()

    @property
    def busy(self) -> bool:
        return bool(self._queue)

    @property
    def state(self) -> Load:
        return Load(waiting=len(self._queue))

    def start(self) -> None:
        self._model.to(self._device)

    def add(self, work: Valued) -> None:
        """Queue a request, or fail it at once if this model can never answer it."""
        try:
            self._bounds.check_score(work.request)
        except BadRequest as error:
            work.fail(error)
        else:
            self._queue.append(work)

    def step(self) -> None:
        work = self._queue.popleft()
        if work.cancelled:
            return
        request, steps = work.request, self._bounds.readable(work.request)
        values = [self._value([*request.prefix, *step]) for step in steps]
        tokens = len(request.prefix) + sum(map(len, steps))
        self._counters.count(tokens, 0)
        found = self._bounds.in_place(request, values)
        work.answer(Scored(request.model, found, tokens, 0, work.seconds))

    def close(self) -> None:
        self._queue.clear()

    def _value(self, tokens: list[int]) -> float:
        ids = torch.tensor([tokens], device=self._device)
        decoder = getattr(self._model, self._model.base_model_prefix)
        hidden = decoder(input_ids=ids, use_cache=False).last_hidden_state
        return float(self._model.score(hidden[0, -1]).float())
