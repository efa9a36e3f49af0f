"""The model versions that one round searches with."""

import json
from dataclasses import dataclass
from pathlib import Path

from rstar_async.errors import BadInput
from rstar_async.text.encoding import Encoder, PromptStyle
from rstar_async.text.prompts import MATH_PROMPTS, Prompts


@dataclass(frozen=True, slots=True)
class ActiveModels:
    """A policy, perhaps a PPM, and the encoder for the policy's tokenizer and prompt style."""

    policy: str
    ppm: str | None
    encoder: Encoder

    @classmethod
    def load(
        cls, folder: Path, policy: str, ppm: str | None, prompts: Prompts = MATH_PROMPTS
    ) -> "ActiveModels":
        """Read the tokenizer and the prompt style of version `policy` in `folder`."""
        style = _prompt_style(folder / policy)
        return cls(policy, ppm, Encoder.load(folder / policy, style, prompts))


def _prompt_style(folder: Path) -> PromptStyle:
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        raise BadInput(f"{folder} has no manifest.json; was this model version published?")
    style: PromptStyle = json.loads(manifest.read_text())["prompt_style"]
    return style
