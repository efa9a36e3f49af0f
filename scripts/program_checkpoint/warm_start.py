"""The programming model before its training: the word problems' model with other tokens.

That model can quote, which takes longest to learn. It keeps its layers and the embeddings of the
tokens that both tokenizers have; the others begin at random among these.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from scripts.demo_checkpoint.model import tiny_model

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor
    from transformers import LlamaForCausalLM


def warm_started(tokenizer: "Tokenizer", base: Path, seed: int) -> "LlamaForCausalLM":
    """The checkpoint in `base` for this tokenizer; the seed decides the new embeddings."""
    import torch
    from tokenizers import Tokenizer as Tokenizers
    from transformers import LlamaForCausalLM

    model = tiny_model(tokenizer, seed)
    trained = LlamaForCausalLM.from_pretrained(base, dtype=torch.float32)
    known = Tokenizers.from_file(str(base / "tokenizer.json")).get_vocab()
    weights = trained.model.state_dict()
    name = "embed_tokens.weight"
    weights[name] = _embeddings(weights[name], known, tokenizer.get_vocab())
    model.model.load_state_dict(weights)
    return model


def _embeddings(trained: "Tensor", known: dict[str, int], wanted: dict[str, int]) -> "Tensor":
    """A row for each wanted token: the trained one, or a random one with their mean and spread."""
    import torch

    rows = torch.randn(len(wanted), trained.shape[1]) * trained.std(dim=0) + trained.mean(dim=0)
    for token, row in wanted.items():
        if token in known:
            rows[row] = trained[known[token]]
    return rows
