"""The local engine: transformers in this process, on the CPU or one GPU."""

import logging
from pathlib import Path

from rstar_async.engines.errors import BadRequest
from rstar_async.wire.payloads import Generate, Generated
from workers.engines.checkpoint import check_generator
from workers.engines.limits import check_generate
from workers.engines.local.base import LocalBase
from workers.engines.local.fallback import FallbackGeneration
from workers.engines.local.generation import Generation
from workers.engines.local.linear_layers import pack, quantize
from workers.engines.local.loader import load_generator
from workers.engines.local.model_runner import ModelRunner, Unpackable, next_logits
from workers.engines.local.settings import DEFAULTS, LocalSettings
from workers.engines.local.versions import LoadedModel
from workers.engines.tokenizer import open_decoder

log = logging.getLogger(__name__)


class LocalEngine(LocalBase[Generate, Generated]):
    """Any causal language model that transformers loads."""

    def __init__(self, models_dir: Path, settings: LocalSettings = DEFAULTS) -> None:
        super().__init__(models_dir, self._load, check_generator, settings)

    async def generate(self, request: Generate) -> Generated:
        """Continue a prompt; safe to cancel."""
        check_generate(request)
        if request.logprobs:
            raise BadRequest("the local engine gives no log probabilities")
        return await self._request(request)

    def _load(self, version: str) -> LoadedModel[Generate, Generated]:
        folder = self._folder(version)
        model, decode = load_generator(folder, self.dtype), open_decoder(folder)
        try:
            runner = ModelRunner(model, next_logits, self.device)
        except Unpackable as reason:
            facts = {"folder": str(folder), "reason": str(reason), "dtype": str(self.dtype)}
            log.warning(
                "fallback: no batching, no prefix cache; the engine sglang has both", extra=facts
            )
            return FallbackGeneration(model, self.device, decode, self.counters)
        if self.settings.dtype == "int8":
            quantize(model)
        if self.device.type == "cpu":
            pack(model)
        return Generation(runner, decode, self.counters, self.settings)
