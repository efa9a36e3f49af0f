"""The policy on an SGLang server."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from uuid import uuid4

import trio

from rstar_async.engines.sglang_messages import Completion
from rstar_async.wire.payloads import Generate, Generated, Sample
from workers.engines.checkpoint import check_generator
from workers.engines.limits import check_generate
from workers.engines.sglang import protocol
from workers.engines.sglang.base import SGLangBase
from workers.engines.sglang.deployment import Deployment
from workers.engines.sglang.model_folder import ModelFolder
from workers.engines.sglang.role import POLICY
from workers.engines.sglang.settings import SGLangSettings
from workers.engines.stops import Decode, StopRule
from workers.engines.tokenizer import open_decoder


def open_engine(models_dir: Path, settings: SGLangSettings) -> "SGLangEngine":
    """A policy's engine on the server that `settings` name."""
    return SGLangEngine(models_dir, settings.deployment(models_dir, POLICY), settings.model)


class SGLangEngine(SGLangBase):
    """Any number of requests may be in flight: the server does the batching."""

    def __init__(self, models_dir: Path, deployment: Deployment, first: str = "") -> None:
        super().__init__(models_dir, deployment, check_generator, first)
        self._decoders: dict[str, Decode] = {}
        self._prefix = uuid4().hex[:12]
        self._numbers = count()

    async def generate(self, request: Generate) -> Generated:
        """Continue a prompt; safe to cancel, the server is told."""
        check_generate(request)
        started = time.perf_counter()
        async with self._versions.use(request.model) as model:
            model.limits.check_generate(request)
            limit = self._room(request, model)
            cached, completions = 0, list[Completion]()
            if limit > 0:
                cached, completions = await self._complete(request, limit)
        samples = self._samples(request, model, limit, completions)
        new = sum(len(sample.tokens) for sample in samples)
        self.counters.count(len(request.prompt), cached, new)
        seconds = time.perf_counter() - started
        return Generated(request.model, samples, len(request.prompt), cached, seconds)

    def _room(self, request: Generate, model: ModelFolder) -> int:
        """How many tokens each sample may have; none if the server would refuse the prompt."""
        longest = self.deployment.info.max_req_input_len
        if longest is not None and len(request.prompt) > longest:
            return 0
        return model.limits.max_new_tokens(request)

    async def _complete(self, request: Generate, limit: int) -> tuple[int, list[Completion]]:
        """All samples, and how many prompt tokens were cached before any of them."""
        rid = f"{self._prefix}-{next(self._numbers)}"
        async with self._abortable([rid, *protocol.rids(request, rid)]):
            cached = await self._warm(request, rid)
            completions = await self.deployment.server.generate_all(
                protocol.samples(request, limit, rid)
            )
        self._check_versions(request.model, {v for c in completions for v in c.versions})
        return completions[0].meta_info.cached_tokens if cached is None else cached, completions

    async def _warm(self, request: Generate, rid: str) -> int | None:
        """Compute the prompt once for all samples; None where that is of no use."""
        if request.n == 1 or self.deployment.info.disable_radix_cache:
            return None
        first = await self.deployment.server.generate(protocol.prefill(request.prompt, rid))
        return first.meta_info.cached_tokens

    @asynccontextmanager
    async def _abortable(self, rids: Sequence[str]) -> AsyncIterator[None]:
        self._in_flight += 1
        try:
            yield
        except trio.Cancelled:
            await self.deployment.server.abort(rids)
            raise
        finally:
            self._in_flight -= 1

    def _samples(
        self, request: Generate, model: ModelFolder, limit: int, completions: Sequence[Completion]
    ) -> list[Sample]:
        if not completions:
            return [Sample([], "", "length")] * request.n
        decode = self._decoder(model)
        rule = StopRule(request.sampling, model.end_ids, limit, decode)
        return [protocol.sample_of(completion, rule, decode) for completion in completions]

    def _decoder(self, model: ModelFolder) -> Decode:
        if model.version not in self._decoders:
            self._decoders = {model.version: open_decoder(model.path)}
        return self._decoders[model.version]
