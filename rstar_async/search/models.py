"""The model versions that one round searches with."""

import json
from dataclasses import dataclass
from pathlib import Path

from rstar_async.errors import BadInput
from rstar_async.text.encoding import Encoder, PromptStyle


@dataclass(frozen=True, slots=True)
class ActiveModels:
    """A policy, perhaps a PPM, and the encoder that speaks the policy's prompt style."""

    policy: str
    ppm: str | None
    encoder: Encoder

    @classmethod
    def load(cls, folder: Path, policy: str, ppm: str | None) -> "ActiveModels":
        """Read what the coordinator needs of version `policy`: tokenizer and prompt style."""
        return cls(policy, ppm, Encoder.load(folder / policy, _prompt_style(folder / policy)))


def _prompt_style(folder: Path) -> PromptStyle:
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        raise BadInput(f"{folder} has no manifest.json; was this model version published?")
    style: PromptStyle = json.loads(manifest.read_text())["prompt_style"]
    return style
