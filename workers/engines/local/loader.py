"""From a model folder to a transformers model on the host, or a clear `ModelUnavailable`."""

import logging
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    PreTrainedModel,
)
from transformers import __version__ as VERSION
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.utils import logging as transformers_logging

from rstar_async.engines.errors import ModelUnavailable
from rstar_async.engines.exact_attention import with_exact_attention
from rstar_async.engines.precision import fastest_dtype
from rstar_async.errors import BadInput
from workers.engines.checkpoint import architecture_family, check_generator, check_scorer
from workers.engines.limits import ModelLimits

log = logging.getLogger(__name__)
transformers_logging.disable_progress_bar()


def pick_device(name: str) -> torch.device:
    """ "auto" is the first GPU if there is one, else the CPU."""
    if name != "auto":
        return torch.device(name)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def pick_dtype(name: str, device: torch.device) -> torch.dtype:
    """Of loaded weights: "auto" is bf16 on a GPU and fp32 on a CPU, where bf16 can be several times
    slower; "fastest" measures that, for int8 too, where it is the type of all but the decoder's
    linear layers. `BadInput` for int8 on a GPU."""
    if name == "int8" and device.type != "cpu":
        raise BadInput("model.dtype int8 is for CPUs; on a GPU take bfloat16")
    if name in ("fastest", "int8"):
        return fastest_dtype(device)
    if name != "auto":
        return getattr(torch, name)  # type: ignore[no-any-return]
    return torch.bfloat16 if device.type == "cuda" else torch.float32


def load_generator(folder: Path, dtype: torch.dtype) -> PreTrainedModel:
    """A causal language model in evaluation mode, still on the host."""
    check_generator(folder)
    return _load(AutoModelForCausalLM, folder, dtype)


def load_scorer(folder: Path, dtype: torch.dtype) -> PreTrainedModel:
    """A one-label sequence classifier in evaluation mode, still on the host.

    transformers has no bias in this head and would ignore one in the file; SGLang would add it.
    So a bias other than zero is refused: the two engines must give the same score.
    """
    check_scorer(folder)
    model = _load(AutoModelForSequenceClassification, folder, dtype)
    head = getattr(model, "score", None)
    if not isinstance(head, torch.nn.Linear) or head.out_features != 1:
        raise ModelUnavailable(folder, "the classifier has no head `score` with one output")
    _check_bias(folder, model.config.model_type)
    return model


def end_ids(model: PreTrainedModel) -> frozenset[int]:
    """The ids that end a text, from generation_config.json or config.json."""
    ends = model.config.get_text_config(decoder=True).eos_token_id
    habits = getattr(model, "generation_config", None)
    if habits is not None and habits.eos_token_id is not None:
        ends = habits.eos_token_id
    if ends is None:
        return frozenset()
    return frozenset(ends if isinstance(ends, list | tuple) else [ends])


def limits_of(model: PreTrainedModel) -> ModelLimits:
    """The ids with an embedding, and the longest sequence the model was made for, if it says."""
    config = model.config.get_text_config(decoder=True)
    embeddings: Any = model.get_input_embeddings()
    context = getattr(config, "max_position_embeddings", None) or 1_000_000
    return ModelLimits(int(embeddings.weight.shape[0]), int(context))


def _load(auto: Any, folder: Path, dtype: torch.dtype) -> PreTrainedModel:
    model: PreTrainedModel
    spoken = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()  # its report on the load is read below
    try:
        model, report = auto.from_pretrained(
            folder, dtype=dtype, local_files_only=True, output_loading_info=True
        )
    except Exception as error:  # any of a dozen libraries' own exceptions
        raise ModelUnavailable(folder, _reason(folder, error)) from error
    finally:
        transformers_logging.set_verbosity(spoken)
    if missing := sorted(report["missing_keys"]):
        raise ModelUnavailable(folder, f"weights are missing: {', '.join(missing[:4])}")
    if mismatched := report.get("mismatched_keys"):
        raise ModelUnavailable(folder, f"weights have other shapes: {sorted(mismatched)[:4]}")
    model.train(False)
    exact: PreTrainedModel = with_exact_attention(model)
    return exact


def _reason(folder: Path, error: Exception) -> str:
    """In one line, why transformers cannot load a model, and what may serve it instead."""
    family = architecture_family(folder)
    if family not in CONFIG_MAPPING:
        return (
            f"transformers {VERSION} does not know the family {family!r}, so the local engine "
            "cannot serve it; sglang or openai may (workers.engine)"
        )
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _check_bias(folder: Path, family: str) -> None:
    for path in folder.glob("*.safetensors"):
        with safe_open(path, "pt") as tensors:
            if "score.bias" in tensors.keys():  # noqa: SIM118 - not a dict
                if tensors.get_tensor("score.bias").any():
                    raise ModelUnavailable(folder, "score.bias is not zero; write it as zero")
                return
    if family.startswith("qwen"):
        facts = {"folder": str(folder)}
        log.warning("no score.bias=0: SGLang would add a random constant", extra=facts)
