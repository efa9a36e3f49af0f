"""The local PPM: a one-label transformers sequence classifier in this process."""

import logging
from pathlib import Path

from rstar_async.wire.payloads import Score, Scored
from workers.engines.base import check_score
from workers.engines.checkpoint import check_scorer
from workers.engines.local.base import LocalBase
from workers.engines.local.fallback import FallbackScoring
from workers.engines.local.loader import load_scorer
from workers.engines.local.model_runner import ModelRunner, Unpackable, values
from workers.engines.local.scoring import Scoring
from workers.engines.local.versions import Loaded

log = logging.getLogger(__name__)


class LocalScorer(LocalBase[Score, Scored]):
    """Scores every step of a request by the head's raw output at the step's last token.

    Options as for `LocalEngine`; `batch_tokens` bounds the tokens of one forward pass.
    """

    def __init__(
        self,
        models_dir: Path,
        *,
        device: str = "auto",
        dtype: str = "auto",
        models_in_memory: int = 1,
        cache_mib: int = 256,
        batch_tokens: int = 2048,
        threads: int | None = None,
    ) -> None:
        self._cache_bytes = cache_mib << 20
        self._batch_tokens = batch_tokens
        super().__init__(
            models_dir,
            self._load,
            check_scorer,
            device=device,
            dtype=dtype,
            models_in_memory=models_in_memory,
            threads=threads,
        )

    async def score(self, request: Score) -> Scored:
        """Value each step; safe to cancel."""
        check_score(request)
        return await self._ask(request)

    def _load(self, version: str) -> Loaded[Score, Scored]:
        folder = self._folder(version)
        model = load_scorer(folder, self.dtype)
        try:
            packed = ModelRunner(model, values, self.device)
        except Unpackable as reason:
            facts = {"folder": str(folder), "reason": str(reason)}
            log.warning("fallback: one step at a time", extra=facts)
            return FallbackScoring(model, self.device, self.counters)
        return Scoring(
            packed,
            self.counters,
            cache_bytes=self._cache_bytes,
            batch_tokens=self._batch_tokens,
        )
