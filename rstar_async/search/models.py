"""The model versions that one round searches with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from rstar_async.config import PathRule
from rstar_async.errors import BadInput
from rstar_async.sanitize import from_json, json_object, shown
from rstar_async.text.encoding import Encoder, PromptStyle
from rstar_async.text.prompts import MATH_PROMPTS, Prompts
from rstar_async.wire.replies import UNKNOWN_MODEL, ModelBounds

MANIFEST = "manifest.json"


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
        style = prompt_style(folder / policy)
        encoder = Encoder.load(folder / policy, style, prompts)
        return cls(
            policy,
            ppm,
            encoder,
            _path_rule(folder / ppm) if ppm else "last",
            _bounds(folder / policy, encoder.vocabulary),
            _bounds(folder / ppm, encoder.vocabulary) if ppm else UNKNOWN_MODEL,
        )


def prompt_style(folder: Path) -> PromptStyle:
    """How a published policy is prompted, as its manifest says."""
    found = read_manifest(folder).get("prompt_style")
    for style in get_args(PromptStyle):
        if found == style:
            return cast("PromptStyle", style)
    raise BadInput(f"{folder / MANIFEST}: prompt_style is {shown(str(found))}")


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a published version; `BadInput` if there is none that can be read."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        raise BadInput(f"{folder} has no {MANIFEST}; was this model version published?")
    return json_object(manifest)


def _path_rule(folder: Path) -> PathRule:
    """PPMs that were published before there was a rule were read at the last step."""
    metrics = read_manifest(folder).get("metrics")
    rule: PathRule = metrics.get("path_rule", "last") if isinstance(metrics, dict) else "last"
    return rule


def _bounds(folder: Path, tokens: int) -> ModelBounds:
    """By `config.json`, as far as it tells. A model may have more ids than its tokenizer has
    `tokens`."""
    try:
        config = from_json((folder / "config.json").read_bytes())
    except (OSError, ValueError):
        return ModelBounds(tokens)
    inner = config.get("text_config", config) if isinstance(config, dict) else {}
    return ModelBounds(
        max(tokens, _size(inner, "vocab_size")), _size(inner, "max_position_embeddings")
    )


def _size(config: Any, name: str) -> int:
    """0 if it is not told, or cannot be true."""
    value = config.get(name) if isinstance(config, dict) else None
    return value if type(value) is int and 0 < value < 2**31 else 0
