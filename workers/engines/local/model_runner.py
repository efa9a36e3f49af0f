"""Runs a transformers model on ragged batches, after a check that it computes them correctly."""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from transformers import PreTrainedModel
from transformers.cache_utils import DynamicCache, DynamicLayer

from workers.engines.local.attention import ATTENTION, Pass, Segment
from workers.engines.local.kv_shape import KVShape
from workers.engines.local.loader import end_ids, limits_of
from workers.engines.local.radix_cache import Prefix

# Rope kinds whose angles depend on the longest sequence in the batch: cached keys would not fit.
LENGTH_DEPENDENT_ROPES = ("dynamic", "longrope")


class Outputs(Protocol):
    """Runs a model on ids [1, tokens] and gives its outputs at `wanted` tokens: [wanted, width]."""

    def __call__(
        self, model: Any, ids: torch.Tensor, wanted: torch.Tensor, **inputs: Any
    ) -> torch.Tensor: ...


def next_logits(model: Any, ids: torch.Tensor, wanted: torch.Tensor, **inputs: Any) -> torch.Tensor:
    """A causal language model's logits."""
    out = model(input_ids=ids, logits_to_keep=wanted, use_cache=False, **inputs)
    return out.logits[0]  # type: ignore[no-any-return]


def values(model: Any, ids: torch.Tensor, wanted: torch.Tensor, **inputs: Any) -> torch.Tensor:
    """A sequence classifier's raw head outputs."""
    decoder = getattr(model, model.base_model_prefix)
    hidden = decoder(input_ids=ids, use_cache=False, **inputs).last_hidden_state
    return model.score(hidden[0, wanted])  # type: ignore[no-any-return]


class Unpackable(Exception):
    """This model cannot run on ragged batches; `str()` says why."""


class ModelRunner:
    """Built on the host; raises `Unpackable` unless packed and plain outputs agree there."""

    def __init__(self, model: PreTrainedModel, outputs: Outputs, device: torch.device) -> None:
        self.limits = limits_of(model)
        self.ends = end_ids(model)
        self._model: Any = model
        self._outputs = outputs
        before = model.config._attn_implementation
        try:
            self.kv_shape = _kv_shape(model)
            self._check_packing()
        except Exception as error:  # a model of another kind can fail in any way
            model.set_attn_implementation(before)
            reason = (
                str(error) if isinstance(error, Unpackable) else f"{type(error).__name__}: {error}"
            )
            raise Unpackable(reason) from error
        self.kv_shape = self.kv_shape._replace(device=device)

    def start(self) -> None:
        self._model.to(self.kv_shape.device)

    def close(self) -> None:
        self._model = None

    def segment(self, tokens: Sequence[int], prefix: Prefix) -> Segment:
        """What of `tokens` remains to be computed after a cached `prefix`."""
        kv = self.kv_shape.empty(len(tokens))
        prefix.copy_to(kv)
        new = range(prefix.length, len(tokens))
        return Segment(list(tokens[prefix.length :]), prefix.length, kv, list(new))

    def last(self, work: Pass) -> torch.Tensor:
        """Outputs at every decoding row, then at the last token of every segment: [.., width]."""
        wanted = list(range(work.samples))
        end = work.samples
        for segment in work.segments:
            end += len(segment.ids)
            wanted.append(end - 1)
        return self.at(work, wanted)

    def at(self, work: Pass, wanted: list[int]) -> torch.Tensor:
        """Outputs at the `wanted` places of the pass: [wanted, width]."""
        device = self.kv_shape.device
        return self._outputs(
            self._model,
            torch.tensor([work.ids], device=device),
            torch.tensor(wanted, device=device),
            position_ids=torch.tensor([work.positions], device=device),
            packed=work,
        )

    def _check_packing(self) -> None:
        """Compare a sequence computed whole and plainly with the same one packed, in two pieces."""
        tokens = [(7 * i + 1) % self.limits.vocabulary for i in range(12)]
        plain = self._outputs(self._model, torch.tensor([tokens]), torch.tensor([7, 11]))
        self._model.set_attn_implementation(ATTENTION)
        off = (plain - self._in_two_pieces(tokens)).abs().max() / plain.abs().max().clamp(min=1e-6)
        close = 1e-3 if self.kv_shape.dtype == torch.float32 else 5e-2
        if not off < close:
            raise Unpackable(f"packed outputs are off by {off:.2g} of the largest")

    def _in_two_pieces(self, tokens: list[int]) -> torch.Tensor:
        first = self.segment(tokens[:8], Prefix(0, ()))
        early = self.last(Pass(None, [first]))
        second = self.segment(tokens, Prefix(8, (first.kv,)))
        return torch.cat([early, self.last(Pass(None, [second]))])


def _kv_shape(model: PreTrainedModel) -> KVShape:
    """Read off the cache that the model itself makes; only plain keys and values will do."""
    config = model.config.get_text_config(decoder=True)
    rope = getattr(config, "rope_parameters", None) or {}
    if rope.get("rope_type") in LENGTH_DEPENDENT_ROPES:
        raise Unpackable(f"rope type {rope['rope_type']}")
    decoder = getattr(model, model.base_model_prefix)
    cache: Any = decoder(input_ids=torch.tensor([[1]]), use_cache=True).past_key_values
    layers: list[Any] = getattr(cache, "layers", [])
    if type(cache) is not DynamicCache or any(type(layer) is not DynamicLayer for layer in layers):
        names = ", ".join(sorted({type(layer).__name__ for layer in layers}))
        raise Unpackable(f"its cache is {type(cache).__name__} of {names or 'no layers'}")
    shapes = {x.shape for layer in layers for x in (layer.keys, layer.values)}
    if len(shapes) != 1:
        raise Unpackable("its layers remember different shapes")
    keys: torch.Tensor = layers[0].keys
    return KVShape(len(layers), keys.shape[1], keys.shape[3], keys.dtype, keys.device)
