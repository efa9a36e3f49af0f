"""Whether a model folder can be served, judged by file names and `config.json`, without torch.

Cheap enough to ask before the running work is drained for a version switch.
"""

from pathlib import Path, PurePosixPath
from typing import Any

from rstar_async.engines.errors import ModelUnavailable
from rstar_async.sanitize import from_json

WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
NOT_GENERATORS = ("Classification", "ForMaskedLM", "ForQuestionAnswering", "ForRewardModel")
SCORER = "ForSequenceClassification"


def model_folder(models_dir: Path, version: str) -> Path:
    """`models_dir/version`; a version that would lead out of `models_dir` is refused."""
    parts = PurePosixPath(version).parts
    if not parts or ".." in parts or version.startswith("/"):
        raise ModelUnavailable(models_dir, f"{version!r} is not the name of a version")
    return models_dir / version


def check_generator(folder: Path) -> None:
    """Refuse what `AutoModelForCausalLM` would load with a random head, or not at all."""
    architecture = _architecture(_config(folder))
    if architecture.endswith(NOT_GENERATORS):
        raise ModelUnavailable(folder, f"{architecture} does not generate text")


def check_scorer(folder: Path) -> None:
    """Refuse all but a sequence classifier with one label."""
    config = _config(folder)
    architecture = _architecture(config)
    if not architecture.endswith(SCORER):
        named = architecture or "no architecture"
        raise ModelUnavailable(folder, f"a PPM is a ...{SCORER}, config.json names {named}")
    if (labels := _labels(config)) != 1:
        raise ModelUnavailable(folder, f"a PPM has one label, this one has {labels}")


def architecture_family(folder: Path) -> str:
    """The family that `config.json` names, such as "llama"."""
    return str(_config(folder).get("model_type", ""))


def _config(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise ModelUnavailable(folder, "no such folder")
    try:
        config = from_json((folder / "config.json").read_bytes())
    except (OSError, ValueError) as error:
        raise ModelUnavailable(folder, f"config.json cannot be read: {error}") from error
    if not isinstance(config, dict):
        raise ModelUnavailable(folder, "config.json is not an object")
    if not any(next(folder.glob(pattern), None) for pattern in WEIGHTS):
        raise ModelUnavailable(folder, f"no weights: none of {', '.join(WEIGHTS)}")
    return config


def _architecture(config: dict[str, Any]) -> str:
    names = config.get("architectures") or [""]
    return str(names[0])


def _labels(config: dict[str, Any]) -> int:
    """transformers writes `num_labels` as the size of `id2label`; without either it means two."""
    if "num_labels" in config:
        return int(config["num_labels"])
    return len(config.get("id2label") or (0, 1))
