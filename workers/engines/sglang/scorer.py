"""The PPM on an SGLang server."""

import time
from pathlib import Path

from rstar_async.engines.errors import ModelUnavailable
from rstar_async.wire.payloads import Score, Scored, TokenIds
from workers.engines.checkpoint import check_scorer
from workers.engines.limits import ModelLimits, check_score
from workers.engines.sglang.base import SGLangBase
from workers.engines.sglang.deployment import Deployment
from workers.engines.sglang.model_folder import ModelFolder
from workers.engines.sglang.role import PPM
from workers.engines.sglang.settings import SGLangSettings

HEAD_BIAS = "score.bias"


def open_scorer(models_dir: Path, settings: SGLangSettings) -> "SGLangScorer":
    """A PPM's scorer on the server that `settings` name."""
    return SGLangScorer(models_dir, settings.deployment(models_dir, PPM), settings.model)


class SGLangScorer(SGLangBase):
    """Raw head outputs by `/classify`; the server batches all requests that wait for it.

    `cached_tokens` of a reply is 0: `/classify` does not say how much its prefix cache served.
    """

    def __init__(self, models_dir: Path, deployment: Deployment, first: str = "") -> None:
        super().__init__(models_dir, deployment, check_scorer, first)

    async def score(self, request: Score) -> Scored:
        """Value each step; safe to cancel."""
        check_score(request)
        started = time.perf_counter()
        async with self._versions.use(request.model) as model:
            model.limits.check_score(request)
            limits = self._served(model.limits)
            steps = limits.fitting_steps(request)
            values = await self._classify([[*request.prefix, *step] for step in steps])
        tokens = len(request.prefix) + sum(map(len, steps))
        self.counters.count(tokens, 0)
        found = limits.with_nan(request, values)
        return Scored(request.model, found, tokens, 0, time.perf_counter() - started)

    def _served(self, limits: ModelLimits) -> ModelLimits:
        """The model's limits, or the server's if they are lower."""
        longest = self.deployment.info.max_req_input_len
        return limits if longest is None else limits._replace(context=min(limits.context, longest))

    async def _classify(self, sequences: list[TokenIds]) -> list[float]:
        if not sequences:
            return []
        self._in_flight += 1
        try:
            answers = await self.deployment.server.classify(sequences)
        finally:
            self._in_flight -= 1
        return [answer.embedding[0] for answer in answers]

    def _check_tensors(self, model: ModelFolder) -> None:
        """SGLang 0.5.21 gives this head a bias, and leaves it at random if the file has none."""
        if model.architecture.startswith("Qwen") and HEAD_BIAS not in model.shapes:
            reason = f"without {HEAD_BIAS} SGLang adds a random constant; write it as zero"
            raise ModelUnavailable(model.path, reason)
