"""The process preference model: the round's policy with a scalar head (paper section 3.3).

Trained by the pairwise loss of Eq. 4 on packed trees, each group of pairs with weight 1/(chosen x
rejected), normalised by the sum of weights. The raw head is trained; search squashes it to
tanh(raw / scale). Saved as the stock `…ForSequenceClassification`, which any server knows.
"""

import hashlib
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
import torch.nn.functional as F
from transformers import AutoConfig, PreTrainedModel, Trainer, TrainingArguments
from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING

from rstar_async.config import PPMTraining
from rstar_async.errors import BadInput
from rstar_async.trainer.batches import Forward, forwards
from rstar_async.trainer.folders import add_tensor, copy_tokenizer
from rstar_async.trainer.optimisation import Watch, quiet, run, trainer_arguments
from rstar_async.trainer.packing import PackedTree, tree_mask

TREES_AT_ONCE = 16
# Training pairs are measured on a sample: a pass over all of them costs a third of an epoch.
MEASURED_TREES = 64
HEAD_BIAS = "score.bias"


class TreeScoring:
    """Mixed into a stock sequence classifier: `forward(…, ends=, judged=)` scores packed trees.

    It must be `forward` and nothing else: whoever calls the inner model past it also passes by the
    hooks of DDP, and the ranks drift apart without a word.
    """

    def forward(self, *args: Any, ends: Any = None, judged: Any = None, **inputs: Any) -> Any:
        """Raw scores [judged steps]: `ends` [rows, tokens] is the tree mask's integer, `judged`
        [steps, 2] the row and column of each step's last token. Without them: the stock forward."""
        if judged is None:
            return super().forward(*args, **inputs)  # type: ignore[misc]
        hidden = self.base_model(  # type: ignore[attr-defined]
            *args, attention_mask=tree_mask(ends), use_cache=False, **inputs
        ).last_hidden_state
        return self.score(hidden[judged[:, 0], judged[:, 1]]).squeeze(-1).float()  # type: ignore[attr-defined]


def load_ppm(folder: Path) -> PreTrainedModel:
    """The model of `folder` as a scorer; a policy's folder gives it a new head, which is zero."""
    config = AutoConfig.from_pretrained(folder, num_labels=1)
    stock: Any = MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING.get(type(config), None)
    if stock is None:
        raise BadInput(f"{folder}: transformers has no sequence classifier for {config.model_type}")
    # Saving writes the class name into the config; servers know only the stock one.
    scorer: Any = type(stock.__name__, (TreeScoring, stock), {})
    model, report = scorer.from_pretrained(
        folder,
        config=config,
        dtype="float32",
        attn_implementation="sdpa",
        output_loading_info=True,
    )
    if "score.weight" in report["missing_keys"]:
        torch.nn.init.zeros_(model.score.weight)
    return model


def save_ppm(model: PreTrainedModel, tokenizer_of: Path, into: Path) -> None:
    """As a stock classifier. SGLang's Qwen heads have a bias and fill a missing one at random."""
    model.save_pretrained(into)
    copy_tokenizer(tokenizer_of, into)
    if needs_head_bias(model.config.model_type):
        add_tensor(into, HEAD_BIAS, torch.zeros(1))


def needs_head_bias(model_type: str) -> bool:
    """Only where it is read: transformers' heads have none and report the tensor as unexpected."""
    return model_type.startswith("qwen")


def is_heldout(problem_id: str, share: float) -> bool:
    """Whether a problem's pairs are only measured on: by problem, for pairs of one tree are kin."""
    digest = hashlib.blake2b(problem_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest) < share * 2**64


def train_ppm(
    start: Path,
    trees: Sequence[PackedTree],
    heldout: Sequence[PackedTree],
    settings: PPMTraining,
    *,
    seed: int,
    dtype: str,
    into: Path,
    watch: Watch,
) -> dict[str, Any]:
    """Train a head on the policy in `start`, all weights free, save to `into`, return metrics.

    `pair_accuracy` is that of the held-out problems. No pair of theirs was trained on, but the
    policy at the start may have learnt their right solutions.
    """
    quiet()
    model = load_ppm(start)
    with TemporaryDirectory() as scratch:
        trainer = PreferenceTrainer(model, trees, settings, seed, dtype, Path(scratch))
        before = pair_accuracy(model, heldout, settings.max_tokens)
        seconds = run(trainer, watch)
    save_ppm(trainer.accelerator.unwrap_model(trainer.model), start, into)
    return {
        "trees": len(trees),
        "trees_heldout": len(heldout),
        "pairs": sum(len(tree.pairs) for tree in trees),
        "pairs_heldout": sum(len(tree.pairs) for tree in heldout),
        "tokens": sum(len(tree.input_ids) for tree in trees),
        "steps": trainer.state.global_step,
        "loss_first": watch.losses[0],
        "loss_last": watch.losses[-1],
        "pair_accuracy": pair_accuracy(model, heldout, settings.max_tokens),
        "pair_accuracy_before": before,
        "pair_accuracy_train": pair_accuracy(model, trees[:MEASURED_TREES], settings.max_tokens),
        "train_seconds": round(seconds, 2),
    }


class PreferenceTrainer(Trainer):
    """One batch = `batch_trees` trees = one optimiser step, in as many forwards as tokens need."""

    def __init__(
        self,
        model: PreTrainedModel,
        trees: Sequence[PackedTree],
        settings: PPMTraining,
        seed: int,
        dtype: str,
        scratch: Path,
    ) -> None:
        arguments = TrainingArguments(
            **trainer_arguments(
                scratch=scratch,
                seed=seed,
                epochs=settings.epochs,
                learning_rate=settings.learning_rate,
                schedule=settings.schedule,
                weight_decay=settings.weight_decay,
                micro_batch=settings.batch_trees,
                accumulation=1,
                dtype=dtype,
            ),
            remove_unused_columns=False,
        )
        super().__init__(
            model=model,
            args=arguments,
            train_dataset=list(trees),
            data_collator=lambda batch: {"forwards": forwards(batch, settings.max_tokens)},
        )

    def training_step(self, model: Any, inputs: dict[str, Any], *_: Any) -> torch.Tensor:
        """Forward and backward of each part; the ranks' gradients meet at the last one only."""
        model.train()
        parts: list[Forward] = [part.to(self.args.device) for part in inputs["forwards"]]
        # DDP averages the ranks' gradients, so the mean makes this the sum over all weights.
        total = self.accelerator.reduce(sum(part.weights.sum() for part in parts), "mean")
        loss = torch.zeros((), device=self.args.device)
        for part in parts:
            is_last = part is parts[-1]
            with nullcontext() if is_last else self.accelerator.no_sync(model):
                with self.compute_loss_context_manager():
                    share = preference_loss(model, part) / total
                self.accelerator.backward(share)
            loss += share.detach()
        return loss


def scores(model: Any, part: Forward) -> torch.Tensor:
    """Raw scores [judged steps] of one forward pass."""
    result: torch.Tensor = model(
        part.input_ids, position_ids=part.position_ids, ends=part.ends, judged=part.judged
    )
    return result


def preference_loss(model: Any, part: Forward) -> torch.Tensor:
    """Eq. 4: `sum w * -log sigmoid(r_chosen - r_rejected)`, not yet divided by the sum of w."""
    raw = scores(model, part)
    return -(F.logsigmoid(raw[part.chosen] - raw[part.rejected]) * part.weights).sum()


@torch.no_grad()
def pair_accuracy(model: Any, trees: Sequence[PackedTree], max_tokens: int) -> float | None:
    """Share of pairs that are ordered right, a tie counting half; None without pairs."""
    model.eval()
    points: list[torch.Tensor] = []
    for first in range(0, len(trees), TREES_AT_ONCE):
        for part in forwards(trees[first : first + TREES_AT_ONCE], max_tokens):
            raw = scores(model, part.to(model.device))
            points.append((raw[part.chosen] - raw[part.rejected]).sign().cpu() / 2 + 0.5)
    return round(torch.cat(points).mean().item(), 4) if points else None
