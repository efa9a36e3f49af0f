"""The linear layers of a model as CPUs multiply by them fastest: reordered once, or in 8 bits."""

import logging
from typing import Any

import torch
from torch import nn

log = logging.getLogger(__name__)

# The largest magnitude of a signed byte that is used to both sides.
LEVELS = 127
SMALLEST = 1e-12
# The number of rows that oneDNN orders weights for. Orders for 16 to 256 are about as fast with
# any number of rows; one for a single row is slower with more.
ROWS = 64
# Weights with fewer elements stay in a core's cache, where to reorder them costs less than to call
# oneDNN.
WORTH_PACKING = 1 << 16


def pack(model: Any, smallest: int = WORTH_PACKING) -> None:
    """Replace linear layers, from `smallest` elements on, by ones whose weights lie as oneDNN reads
    them.

    Few rows then take half to two thirds of the time, in which plain layers reorder their weights
    again and again; many take nine tenths. A head that shares its weight with the embedding gets a
    copy. Where this build of torch cannot do it, the layers stay as they are.
    """
    for name, module in list(model.named_modules()):
        if isinstance(module, nn.Linear) and module.weight.numel() >= smallest:
            try:
                model.set_submodule(name, PackedLinear(module))
            except (RuntimeError, NotImplementedError, AttributeError) as error:
                log.warning("linear layers are not packed", extra={"reason": str(error)[:200]})
                return


class PackedLinear(nn.Module):
    """What `torch.compile` makes of a linear layer when it freezes a model for a CPU."""

    def __init__(self, linear: nn.Linear) -> None:
        """Raises an error of torch's if it was built without oneDNN, or for other types."""
        super().__init__()
        weight = linear.weight.detach()
        self.bias = linear.bias
        self._packed = torch.ops.mkldnn._reorder_linear_weight(weight, ROWS)
        self._multiply = torch.ops.mkldnn._linear_pointwise.default
        self(weight[:1])  # whether it can be multiplied by, too

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """[..., inputs] to [..., outputs], in the type of the weights."""
        outputs: torch.Tensor = self._multiply(inputs, self._packed, self.bias, "none", [], "")
        return outputs


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
