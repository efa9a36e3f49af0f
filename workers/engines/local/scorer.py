"""The local PPM: a one-label transformers sequence classifier in this process."""

import logging
from pathlib import Path

from rstar_async.wire.payloads import Score, Scored
from workers.engines.checkpoint import check_scorer
from workers.engines.limits import check_score
from workers.engines.local.base import LocalBase
from workers.engines.local.fallback import FallbackScoring
from workers.engines.local.linear_layers import pack
from workers.engines.local.loader import load_scorer
from workers.engines.local.model_runner import ModelRunner, Unpackable, values
from workers.engines.local.scoring import Scoring
from workers.engines.local.settings import DEFAULTS, LocalSettings
from workers.engines.local.versions import LoadedModel

log = logging.getLogger(__name__)


class LocalScorer(LocalBase[Score, Scored]):
    """Scores every step of a request by the head's raw output at the step's last token."""

    def __init__(self, models_dir: Path, settings: LocalSettings = DEFAULTS) -> None:
        super().__init__(models_dir, self._load, check_scorer, settings)

    async def score(self, request: Score) -> Scored:
        """Value each step; safe to cancel."""
        check_score(request)
        return await self._request(request)

    def _load(self, version: str) -> LoadedModel[Score, Scored]:
        folder = self._folder(version)
        model = load_scorer(folder, self.dtype)
        try:
            runner = ModelRunner(model, values, self.device)
        except Unpackable as reason:
            facts = {"folder": str(folder), "reason": str(reason)}
            log.warning("fallback: one step at a time", extra=facts)
            return FallbackScoring(model, self.device, self.counters)
        if self.device.type == "cpu":
            pack(model)
        return Scoring(runner, self.counters, self.settings)
