"""Pretraining of the demo's bootstrap: a plain loop with Muon, warm-up and decay."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from scripts.demo_checkpoint.examples import IGNORED, Example, batches

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer
    from transformers import LlamaForCausalLM

Report = Callable[[int, float], None]


@dataclass(frozen=True)
class PretrainingPlan:
    """Steps and learning rates; bfloat16 halves the time on CPUs that support it."""

    steps: int = 1400
    batch: int = 16
    rate: float = 3e-3
    matrix_rate: float = 8e-3
    warm_up: int = 100
    weight_decay: float = 0.05
    bfloat16: bool = True
    # Whether the rates decay to zero at the end; False if another pretraining follows.
    decays: bool = True


def pretrain(
    model: "LlamaForCausalLM",
    examples: Sequence[Example],
    plan: PretrainingPlan,
    seed: int,
    report: Report,
) -> None:
    """Train in place; calls `report` with the step number and the loss after every step."""
    optimizers = _optimizers(model, plan)
    peaks = [[group["lr"] for group in o.param_groups] for o in optimizers]
    model.train()
    stream = _endless_batches(examples, plan.batch, Random(seed))
    for step in range(plan.steps):
        for optimizer, rates in zip(optimizers, peaks, strict=True):
            for group, peak in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = peak * _schedule(step, plan)
        report(step + 1, _train_step(model, optimizers, next(stream), plan.bfloat16))
    model.eval()


def _train_step(
    model: "LlamaForCausalLM",
    optimizers: Sequence["Optimizer"],
    batch: list[Example],
    bfloat16: bool,
) -> float:
    import torch

    ids, labels = _padded(batch, model.config.pad_token_id)
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        loss = _loss(model, ids, labels)
    model.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizers:
        optimizer.step()
    return loss.item()


def _loss(model: "LlamaForCausalLM", ids: "Tensor", labels: "Tensor") -> "Tensor":
    """Cross-entropy of the labelled tokens; the others never reach the output layer."""
    from torch.nn.functional import cross_entropy

    hidden = model.model(ids).last_hidden_state[:, :-1]
    wanted = labels[:, 1:] != IGNORED
    return cross_entropy(model.lm_head(hidden[wanted]).float(), labels[:, 1:][wanted])


def _padded(batch: list[Example], pad: int) -> tuple["Tensor", "Tensor"]:
    """Padded on the right, where a causal model needs no mask."""
    import torch

    width = max(len(e.ids) for e in batch)
    ids = [e.ids + [pad] * (width - len(e.ids)) for e in batch]
    labels = [e.labels + [IGNORED] * (width - len(e.labels)) for e in batch]
    return torch.tensor(ids), torch.tensor(labels)


def _optimizers(model: "LlamaForCausalLM", plan: PretrainingPlan) -> list["Optimizer"]:
    """Muon for the layers' matrices, which halves the steps needed; AdamW for all else."""
    from torch.optim import AdamW, Muon

    matrices = [p for p in model.model.layers.parameters() if p.ndim == 2]
    scales = [p for p in model.parameters() if p.ndim == 1]
    others = [
        {"params": model.model.embed_tokens.parameters(), "weight_decay": plan.weight_decay},
        {"params": scales, "weight_decay": 0.0},
    ]
    return [
        Muon(
            matrices,
            lr=plan.matrix_rate,
            weight_decay=plan.weight_decay,
            adjust_lr_fn="match_rms_adamw",
        ),
        AdamW(others, lr=plan.rate, betas=(0.9, 0.98)),
    ]


def _schedule(step: int, plan: PretrainingPlan) -> float:
    rising = min(1.0, (step + 1) / plan.warm_up)
    return rising * (1 - step / plan.steps) if plan.decays else rising


def _endless_batches(
    examples: Sequence[Example], size: int, random: Random
) -> Iterator[list[Example]]:
    while True:
        order = list(range(len(examples)))
        random.shuffle(order)
        made = batches(examples, size, order)
        random.shuffle(made)
        yield from made
