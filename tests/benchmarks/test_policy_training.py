"""How many operations the products of a training step take."""

import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import LlamaConfig, LlamaForCausalLM

from benchmarks.engine.sizes import sizes_in
from benchmarks.policy_training import operations_of


def test_operations_are_those_that_torch_counts_but_for_attention():
    tokens = 64
    config = LlamaConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        vocab_size=128,
        tie_word_embeddings=True,
    )
    model = LlamaForCausalLM(config)
    ids = torch.arange(tokens)[None]
    with FlopCounterMode(display=False) as counter:
        model(ids, logits_to_keep=tokens // 2).logits.sum().backward()
    counts = counter.get_flop_counts()["Global"]
    products = sum(count for name, count in counts.items() if str(name) == "aten.mm")
    shapes = {name: list(weights.shape) for name, weights in model.named_parameters()}
    assert products == operations_of(sizes_in(shapes), tokens)
