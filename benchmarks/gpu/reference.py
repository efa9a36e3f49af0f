"""What transformers computes for the answers of a server, in float32."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from rstar_async.engines.exact_attention import with_exact_attention
from rstar_async.wire.payloads import TokenIds


def device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


class Policy:
    """The policy in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._model = _load(AutoModelForCausalLM, folder)

    @torch.inference_mode()
    def regrets(self, prompt: TokenIds, chosen: Sequence[int]) -> list[float]:
        """For each chosen token: by how much the likeliest one's log probability is larger."""
        ids = torch.tensor([[*prompt, *chosen]], device=device())
        rows = self._model(ids).logits[0, len(prompt) - 1 : -1].log_softmax(-1)
        picked = rows.gather(1, ids[0, len(prompt) :, None])[:, 0]
        regrets: list[float] = (rows.max(-1).values - picked).tolist()
        return regrets


class PPM:
    """The PPM in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._model = _load(AutoModelForSequenceClassification, folder)

    @torch.inference_mode()
    def value(self, ids: TokenIds) -> float:
        """The raw head at the last id."""
        return float(self._model(torch.tensor([ids], device=device())).logits)


def _load(auto: Any, folder: Path) -> Any:
    model = auto.from_pretrained(folder, dtype=torch.float32)
    return with_exact_attention(model).eval().to(device())
