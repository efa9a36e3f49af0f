"""The demo's tiny policy: a stock Llama architecture over the demo's own tokenizer."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rstar_async.demo.tokenizer import END, PAD

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import LlamaForCausalLM

CONTEXT = 1024


class Shape(NamedTuple):
    """Widths and depth of a Llama."""

    hidden: int
    feed_forward: int
    layers: int
    heads: int


MILLION_WEIGHTS = Shape(hidden=128, feed_forward=384, layers=4, heads=4)


def tiny_model(
    tokenizer: "Tokenizer", seed: int, shape: Shape = MILLION_WEIGHTS
) -> "LlamaForCausalLM":
    """A freshly initialised model; the seed decides every weight."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=shape.hidden,
        intermediate_size=shape.feed_forward,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.token_to_id(PAD),
        eos_token_id=tokenizer.token_to_id(END),
        bos_token_id=None,
    )
    torch.manual_seed(seed)
    return LlamaForCausalLM(config)


def save_folder(model: "LlamaForCausalLM", tokenizer: "Tokenizer", folder: Path) -> None:
    """Write a standard Hugging Face folder, weights in half precision."""
    import torch
    from transformers import PreTrainedTokenizerFast

    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        clean_up_tokenization_spaces=False,
        model_max_length=CONTEXT,
    )
    fast.save_pretrained(folder)
    model.to(torch.float16).save_pretrained(folder)
    model.to(torch.float32)
