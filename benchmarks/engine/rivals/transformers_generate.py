"""transformers' `generate`: one padded batch with a KV cache, forgotten at its end."""

from collections.abc import Callable
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from benchmarks.engine.jobs import Generate, Job, Request
from benchmarks.engine.workload import TokenIds

PAD = 0


def serve(job: Job, measure: Callable[[Generate], None]) -> None:
    torch.set_num_threads(job.threads)
    dtype = getattr(torch, job.precision)
    model = AutoModelForCausalLM.from_pretrained(job.model, dtype=dtype).eval()
    measure(lambda request: _generate(model, request))


@torch.inference_mode()
def _generate(model: Any, request: Request) -> list[TokenIds]:
    ids, mask = _padded(request.prompts)
    sampled = request.temperature > 0
    drawing = {"temperature": request.temperature, "top_k": 0, "top_p": 1.0} if sampled else {}
    output = model.generate(
        ids,
        attention_mask=mask,
        do_sample=sampled,
        num_return_sequences=request.candidates,
        max_new_tokens=request.new_tokens,
        pad_token_id=PAD,
        **drawing,
    )
    answers: list[TokenIds] = output[:, ids.shape[1] :].tolist()
    return answers


def _padded(prompts: list[TokenIds]) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask, padded on the left."""
    width = max(map(len, prompts))
    ids = torch.full((len(prompts), width), PAD)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) :] = torch.tensor(prompt)
        mask[row, width - len(prompt) :] = 1
    return ids, mask
