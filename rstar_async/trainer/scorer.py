"""The network of the PPM: the round's policy with a scalar head (paper section 3.3).

The raw head is trained; search squashes it to tanh(raw / scale). Saved as the stock
`…ForSequenceClassification`, which any server can load.
"""

from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, PreTrainedModel
from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING

from rstar_async.engines.exact_attention import with_exact_attention
from rstar_async.errors import BadInput
from rstar_async.trainer.attention import DENSE, LAYER_KINDS, attention_masks
from rstar_async.trainer.batches import Forward
from rstar_async.trainer.checkpoint_io import add_tensor, copy_tokenizer

HEAD_BIAS = "score.bias"


class TreeScoring:
    """Mixed into a stock sequence classifier: `forward(…, ends=, scored=)` scores packed trees.

    It must override `forward`: calling the inner model directly would bypass the hooks of DDP, and
    the ranks' weights would diverge silently.
    """

    def forward(self, *args: Any, ends: Any = None, scored: Any = None, **inputs: Any) -> Any:
        """Raw scores [scores]: `ends` [rows, tokens] is where subtrees end, `scored`
        [scores, 2] the row and column of each scored token. Without them: the stock forward."""
        if scored is None:
            return super().forward(*args, **inputs)  # type: ignore[misc]
        masks = attention_masks(self.config, ends, inputs["position_ids"])  # type: ignore[attr-defined]
        hidden = self.base_model(  # type: ignore[attr-defined]
            *args, attention_mask=masks, use_cache=False, **inputs
        ).last_hidden_state
        steps = hidden[scored[:, 0], scored[:, 1]]
        return self.score(steps.float()).squeeze(-1).float()  # type: ignore[attr-defined]


def load_ppm(folder: Path, kernel: str = DENSE, dtype: str = "float32") -> PreTrainedModel:
    """The model in `folder` as a scorer, its head in float32; from a policy's folder the head
    starts at zero."""
    config = AutoConfig.from_pretrained(folder, num_labels=1)
    stock = scorer_class(config)
    # Saving writes the class name into the config, and servers know only the stock name.
    scorer: Any = type(stock.__name__, (TreeScoring, stock), {})
    model, report = scorer.from_pretrained(
        folder,
        config=config,
        dtype=dtype,
        attn_implementation=kernel,
        output_loading_info=True,
    )
    if "score.weight" in report["missing_keys"]:
        torch.nn.init.zeros_(model.score.weight)
    model.score.to(torch.float32)
    return with_exact_attention(model) if kernel == DENSE else model  # the other one knows all


def scorer_class(config: Any) -> Any:
    """The stock class of a PPM of this family; `BadInput` if there is none, or one of whose kinds
    of layers packed trees have no mask."""
    stock: Any = MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING.get(type(config), None)
    if stock is None:
        raise BadInput(
            f"transformers has no sequence classifier for the family {config.model_type}, so no "
            "PPM can be trained from it: give --ppm.train false, or another model.base"
        )
    if other := {*(getattr(config, "layer_types", None) or ())} - LAYER_KINDS:
        raise BadInput(
            f"no PPM can be trained from a {config.model_type} with layers of {min(other)}: give "
            "--ppm.train false, or another model.base"
        )
    return stock


def scores(model: Any, part: Forward) -> torch.Tensor:
    """Raw scores [scores] of one forward pass."""
    result: torch.Tensor = model(
        part.input_ids, position_ids=part.position_ids, ends=part.ends, scored=part.scored
    )
    return result


def complete_folder(start: Path, into: Path) -> None:
    """Add the tokenizer of `start` to the weights in `into`, and for Qwen a head bias of zero:
    SGLang's Qwen heads have one and initialise a missing one at random."""
    copy_tokenizer(start, into)
    if needs_head_bias(AutoConfig.from_pretrained(into).model_type):
        add_tensor(into, HEAD_BIAS, torch.zeros(1))


def needs_head_bias(model_type: str) -> bool:
    """Whether SGLang's class has a head bias; transformers' has none and calls it unexpected."""
    return model_type.startswith("qwen")
