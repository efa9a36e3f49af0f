"""LoRA adapters of policy and PPM, which are merged into the weights before publishing."""

from typing import Any

import torch
from peft import LoraConfig
from transformers import PreTrainedTokenizerFast

from rstar_async.config import LoRAConfig
from rstar_async.text.tags import SPECIAL_TOKENS

HEAD = "score"


def policy_adapters(settings: LoRAConfig, tokenizer: PreTrainedTokenizerFast) -> LoraConfig | None:
    """Adapters in all linear layers, and the embeddings of the tags, which are new to the base;
    None where all weights are trained."""
    return _adapters(settings, tokenizer, task_type="CAUSAL_LM") if settings.rank else None


def ppm_adapters(settings: LoRAConfig, tokenizer: PreTrainedTokenizerFast) -> LoraConfig | None:
    """The same, and all weights of the head."""
    if not settings.rank:
        return None
    # "all-linear" would adapt the head too, which starts at zero and is trained as it is.
    return _adapters(settings, tokenizer, modules_to_save=[HEAD], exclude_modules=[HEAD])


def _adapters(
    settings: LoRAConfig, tokenizer: PreTrainedTokenizerFast, **options: Any
) -> LoraConfig:
    tags = [int(i) for i in tokenizer.convert_tokens_to_ids(list(SPECIAL_TOKENS))]
    return LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules="all-linear",
        trainable_token_indices={"embed_tokens": tags},
        **options,
    )


def merged(model: Any) -> Any:
    """The plain model in float32, its adapters (if any) added to the weights in float32 too."""
    model = model.to(torch.float32)
    return model.merge_and_unload() if hasattr(model, "merge_and_unload") else model
