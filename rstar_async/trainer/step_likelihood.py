"""How likely a policy finds the steps of a packed tree: one forward pass for all of them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from rstar_async.engines.exact_attention import with_exact_attention
from rstar_async.trainer.attention import attention_masks
from rstar_async.trainer.packing import PackedTree

# The logits of a pass: half a GiB in float32.
MOST_LOGITS = 1 << 27


class StepLikelihood:
    """The policy in a folder, in float32; `most_logits` are held at a time."""

    def __init__(self, policy: Path, most_logits: int = MOST_LOGITS) -> None:
        model = AutoModelForCausalLM.from_pretrained(policy, dtype="float32").eval()
        self._model: Any = with_exact_attention(model)
        self._most_columns = max(1, most_logits // model.config.get_text_config().vocab_size)

    @torch.inference_mode()
    def of(self, tree: PackedTree) -> dict[int, float]:
        """For each score that is in a pair: the mean log probability of the tokens of its step."""
        wanted = dict.fromkeys(score for pair in tree.pairs for score in pair[:2])
        columns = {score: _predicting(tree, tree.spans[score]) for score in wanted}
        found: dict[int, float] = {}
        for scores in self._passes(columns):
            logits = self._logits(tree, [column for score in scores for column in columns[score]])
            by_step = logits.log_softmax(-1).split([len(columns[score]) for score in scores])
            for score, chances in zip(scores, by_step, strict=True):
                tokens = torch.tensor(tree.input_ids[slice(*tree.spans[score])])
                found[score] = float(chances.gather(1, tokens[:, None]).mean())
        return found

    def _passes(self, columns: dict[int, list[int]]) -> Iterator[list[int]]:
        """Scores whose logits fit into memory together."""
        scores: list[int] = []
        for score, needed in columns.items():
            if (
                scores
                and sum(len(columns[each]) for each in scores) + len(needed) > self._most_columns
            ):
                yield scores
                scores = []
            scores.append(score)
        if scores:
            yield scores

    def _logits(self, tree: PackedTree, columns: Sequence[int]) -> torch.Tensor:
        """[columns, vocabulary]"""
        positions, ends = torch.tensor([tree.position_ids]), torch.tensor([tree.ends])
        masks = attention_masks(self._model.config, ends, positions)
        logits: torch.Tensor = self._model(
            torch.tensor([tree.input_ids]),
            attention_mask=masks,
            position_ids=positions,
            use_cache=False,
            logits_to_keep=torch.tensor(columns),
        ).logits[0]
        return logits


def _predicting(tree: PackedTree, span: tuple[int, int]) -> list[int]:
    """The columns whose outputs predict the tokens of a step: the last one before it on its path,
    then all of its own but the last."""
    start, stop = span
    before = max(column for column in range(start) if tree.ends[column] >= stop)
    return [before, *range(start, stop - 1)]
