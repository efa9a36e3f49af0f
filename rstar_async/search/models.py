"""The model versions that one round searches with."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rstar_async.config import PathRule
from rstar_async.errors import BadInput
from rstar_async.text.encoding import Encoder, PromptStyle
from rstar_async.text.prompts import MATH_PROMPTS, Prompts
from rstar_async.wire.replies import UNKNOWN_MODEL, ModelBounds


@dataclass(frozen=True, slots=True)
class ActiveModels:
    """A policy, perhaps a PPM, and the encoder for the policy's tokenizer and prompt style.

    `path_rule` is the rule for the value of a path that ordered the PPM's held-out answers best.
    `policy_bounds` and `ppm_bounds` are what replies are held to.
    """

    policy: str
    ppm: str | None
    encoder: Encoder
    path_rule: PathRule = "last"
    policy_bounds: ModelBounds = UNKNOWN_MODEL
    ppm_bounds: ModelBounds = UNKNOWN_MODEL

    @classmethod
    def load(
        cls, folder: Path, policy: str, ppm: str | None, prompts: Prompts = MATH_PROMPTS
    ) -> "ActiveModels":
        """Read the tokenizer and the prompt style of version `policy` in `folder`, and the path
        rule of version `ppm`."""
        style: PromptStyle = _manifest(folder / policy)["prompt_style"]
        encoder = Encoder.load(folder / policy, style, prompts)
        return cls(
            policy,
            ppm,
            encoder,
            _path_rule(folder / ppm) if ppm else "last",
            _bounds(folder / policy, encoder.vocabulary),
            _bounds(folder / ppm, encoder.vocabulary) if ppm else UNKNOWN_MODEL,
        )


def _path_rule(folder: Path) -> PathRule:
    """PPMs that were published before there was a rule were read at the last step."""
    rule: PathRule = _manifest(folder).get("metrics", {}).get("path_rule", "last")
    return rule


def _bounds(folder: Path, tokens: int) -> ModelBounds:
    """By `config.json`. A model may have more ids than its tokenizer has `tokens`."""
    try:
        config = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError):
        return ModelBounds(tokens)
    inner = config.get("text_config", config)
    return ModelBounds(
        max(tokens, int(inner.get("vocab_size") or 0)),
        int(inner.get("max_position_embeddings") or 0),
    )


def _manifest(folder: Path) -> dict[str, Any]:
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        raise BadInput(f"{folder} has no manifest.json; was this model version published?")
    content: dict[str, Any] = json.loads(manifest.read_text())
    return content
