"""The linear layers of a model as CPUs multiply by them fastest: by input, or in 8 bits."""

from typing import Any

import torch
from torch import nn

# The largest magnitude of a signed byte that is used to both sides.
LEVELS = 127
SMALLEST = 1e-12


def lay_out_by_input(model: Any) -> None:
    """Store weights by input: a few dozen rows take three quarters of the time.

    A weight that is also the embedding stays as it is, since rows are looked up in it.
    """
    embedding = model.get_input_embeddings().weight
    for module in model.modules():
        if isinstance(module, nn.Linear) and module.weight is not embedding:
            module.weight.data = module.weight.data.t().contiguous().t()


def quantize(model: Any) -> None:
    """Replace the linear layers of the decoder by ones in 8 bits; the head keeps its precision."""
    decoder = getattr(model, model.base_model_prefix)
    for name, module in list(decoder.named_modules()):
        if isinstance(module, nn.Linear):
            decoder.set_submodule(name, Int8Linear(module))


class Int8Linear(nn.Module):
    """Weights in 8 bits with a scale per output, inputs in 8 bits with a scale per token.

    A scale is the largest magnitude over 127 (as the part without outliers of LLM.int8(),
    arXiv 2208.07339). Products are sums of whole numbers, so a token's outputs are the same in
    every batch.
    """

    scale: torch.Tensor
    weight: torch.Tensor

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.detach().float()
        scale = weight.abs().amax(1, keepdim=True).clamp_(min=SMALLEST) / LEVELS
        self.bias = linear.bias
        self.register_buffer("scale", scale.squeeze(1))
        # [inputs, outputs], as a view of [outputs, inputs], which the kernel wants.
        self.register_buffer("weight", (weight / scale).round_().to(torch.int8).t())

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """[..., inputs] to [..., outputs], in the type of the inputs."""
        rows = inputs.flatten(0, -2)
        scale = rows.abs().amax(-1, keepdim=True).clamp_(min=SMALLEST) / LEVELS
        products = torch._int_mm((rows / scale).round_().to(torch.int8), self.weight)
        outputs: torch.Tensor = (products * self.scale).mul_(scale).to(inputs.dtype)
        if self.bias is not None:
            outputs += self.bias
        return outputs.view(*inputs.shape[:-1], -1)
