"""The local engine: transformers in this process, on the CPU or one GPU."""

import logging
from pathlib import Path

from rstar_async.wire.payloads import Generate, Generated
from workers.engines.base import BadRequest, check_generate
from workers.engines.checkpoint import check_generator
from workers.engines.local.base import LocalBase
from workers.engines.local.fallback import FallbackGeneration
from workers.engines.local.generation import Generation
from workers.engines.local.loader import load_generator
from workers.engines.local.model_runner import ModelRunner, Unpackable, next_logits
from workers.engines.local.versions import Loaded
from workers.engines.tokenizer import open_decoder

log = logging.getLogger(__name__)


class LocalEngine(LocalBase[Generate, Generated]):
    """Any causal language model that transformers loads; see the options where they are set.

    `device`: "auto", "cpu", "cuda", "cuda:1". `dtype`: "auto" (fp32 on a CPU, bf16 on a GPU) or a
    torch name. `cache_mib` bounds the prefix cache of each loaded version, 0 turns it off.
    `max_rows` bounds the samples in flight, `prefill_tokens` the new prompt tokens of one forward
    pass. `threads` is torch's thread count in the engine's thread; None leaves torch's own.
    """

    def __init__(
        self,
        models_dir: Path,
        *,
        device: str = "auto",
        dtype: str = "auto",
        models_in_memory: int = 1,
        cache_mib: int = 512,
        max_rows: int = 256,
        prefill_tokens: int = 2048,
        threads: int | None = None,
    ) -> None:
        self._cache_bytes = cache_mib << 20
        self._max_rows = max_rows
        self._prefill_tokens = prefill_tokens
        super().__init__(
            models_dir,
            self._load,
            check_generator,
            device=device,
            dtype=dtype,
            models_in_memory=models_in_memory,
            threads=threads,
        )

    async def generate(self, request: Generate) -> Generated:
        """Continue a prompt; safe to cancel."""
        check_generate(request)
        if request.logprobs:
            raise BadRequest("the local engine gives no log probabilities")
        return await self._ask(request)

    def _load(self, version: str) -> Loaded[Generate, Generated]:
        folder = self._folder(version)
        model, decode = load_generator(folder, self.dtype), open_decoder(folder)
        try:
            packed = ModelRunner(model, next_logits, self.device)
        except Unpackable as reason:
            facts = {"folder": str(folder), "reason": str(reason)}
            log.warning("fallback: no batching, no prefix cache", extra=facts)
            return FallbackGeneration(model, self.device, decode, self.counters)
        return Generation(
            packed,
            decode,
            self.counters,
            cache_bytes=self._cache_bytes,
            max_rows=self._max_rows,
            prefill_tokens=self._prefill_tokens,
        )
