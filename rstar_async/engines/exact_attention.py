"""Attention as a model was trained with it, where transformers' default kernel is not."""

from typing import Any

EXACT = "eager"


def with_exact_attention(model: Any) -> Any:
    """The model, computed by the kernel that knows all it asks of attention: the default one leaves
    out, without a word, the soft cap on attention scores of Gemma 2, which servers apply."""
    config = model.config.get_text_config(decoder=True)
    if getattr(config, "attn_logit_softcapping", None):
        model.set_attn_implementation(EXACT)
    return model
