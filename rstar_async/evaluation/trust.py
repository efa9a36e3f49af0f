"""Whether a PPM guides searches and chooses answers, by what its training measured (`ppm.trust`).

One that orders its held-out pairs no better than its baselines is left out: trees are searched
without it, as in the paper's first rounds, and answer by majority.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rstar_async.config import PPMConfig
from rstar_async.evaluation.models import ModelRef, manifest_of
from rstar_async.evaluation.strategies import strategies

ANSWER_SETTING = "evaluation.answer"
WITHOUT_PPM = "majority"


def is_trusted(settings: PPMConfig, metrics: Mapping[str, Any]) -> bool:
    """Whether a PPM with these metrics may be used; without a measurement it may."""
    return settings.trust == "always" or metrics.get("trusted") is not False


def left_out(ppm: str, metrics: Mapping[str, Any]) -> str:
    """The line that says why `ppm` is not used."""
    return (
        f"{_doubt(ppm, metrics)}, so trees are searched without it and the majority answers "
        "(--ppm.trust always uses it)"
    )


def used_all_the_same(ppm: str, metrics: Mapping[str, Any]) -> str:
    """The line that warns who named `ppm`."""
    return f"{_doubt(ppm, metrics)}; it is used because the command names it"


def with_trusted_ppm(model: ModelRef, *, is_named: bool) -> ModelRef:
    """The models without a PPM that is not trusted, unless the command names it (`is_named`);
    `ppm_note` says so in one line."""
    if model.ppm is None:
        return model
    manifest = manifest_of(model.recipe.models_folder / model.ppm, "ppm")
    metrics = manifest.get("metrics", {})
    if is_trusted(model.recipe.ppm, metrics):
        return model
    if is_named:
        return replace(model, ppm_note=used_all_the_same(model.ppm, metrics))
    return replace(model, ppm=None, ppm_note=left_out(model.ppm, metrics))


def names_ppm(overrides: Sequence[tuple[str, str]], against: Sequence[str] = ()) -> bool:
    """Whether a command asks for what only a PPM can do: by its settings, or by the strategies that
    it names."""
    answers = [value for key, value in overrides if key == ANSWER_SETTING]
    known = strategies()
    return any(answer.strip("\"'") != WITHOUT_PPM for answer in answers) or any(
        known[name].needs_ppm for name in against
    )


def _doubt(ppm: str, metrics: Mapping[str, Any]) -> str:
    own, *others = (
        _percent(metrics.get(f"pair_accuracy_{name}"))
        for name in ("by_problem", "shorter", "likelier")
    )
    return (
        f"{ppm} orders {own} of held-out pairs right, beyond chance no better than taking the "
        f"shorter step ({others[0]}) or the likelier one ({others[1]})"
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"
