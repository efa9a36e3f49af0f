"""From what a caller names as a model to versions in the session's own home."""

import json
from pathlib import Path

from msgspec import structs

from rstar_async.config import Recipe
from rstar_async.errors import BadInput
from rstar_async.evaluation.models import ModelRef, find_models, with_own_store
from rstar_async.models.sources import find
from rstar_async.text.bos import bos_ids_of
from rstar_async.text.encoding import Encoder, PromptStyle

POLICY = "policy"
RUN = "session"


def models_in(home: Path, model: str | Path, ppm: str | Path | None) -> ModelRef:
    """Policy and PPM, linked into `home`, with a store of their own.

    `model`: "demo", a checkpoint folder, a published policy, or a run, whose newest models are
    taken. `BadInput` names what is none of these.
    """
    folder = Path(model)
    if (folder / "recipe.json").is_file() or (folder / "manifest.json").is_file():
        found = find_models(folder, None, Path(ppm) if ppm else None)
        return with_own_store(found, home)
    return with_own_store(_checkpoint(home, str(model), Path(ppm) if ppm else None), home)


def _checkpoint(home: Path, model: str, ppm: Path | None) -> ModelRef:
    """A checkpoint folder as version `POLICY`, with the prompt style that its tokenizer allows."""
    source = find(model, "model")
    if source.is_on_hub or source.gguf_file:
        raise BadInput(
            f"model: {model} is not a checkpoint folder; `rstar run --model {model}` publishes it"
        )
    recipe = structs.replace(Recipe(name=RUN), home=str(home))
    version = recipe.models_folder / POLICY
    version.mkdir(parents=True, exist_ok=True)
    for file in Path(source.place).iterdir():
        _link(version / file.name, file)
    manifest = {
        "id": POLICY,
        "kind": "policy",
        "round": 0,
        "prompt_style": _style(version),
        "bos_ids": bos_ids_of(version),
        "base": model,
    }
    (version / "manifest.json").write_text(json.dumps(manifest))
    if ppm is not None:
        _link(recipe.models_folder / ppm.name, ppm)
    return ModelRef(recipe, RUN, 0, POLICY, ppm.name if ppm else None)


def _link(link: Path, target: Path) -> None:
    if not link.exists():
        link.symlink_to(target.absolute())


def _style(folder: Path) -> PromptStyle:
    """Few-shot unless the tokenizer has the tags."""
    Encoder.load(folder, "few_shot")
    try:
        Encoder.load(folder, "tagged")
    except BadInput:
        return "few_shot"
    return "tagged"
