"""transformers' continuous batching, with its sharing of whole blocks of pages."""

from collections.abc import Callable
from typing import Any

import torch
from transformers import AutoModelForCausalLM, GenerationConfig
from transformers.generation.configuration_utils import ContinuousBatchingConfig

from benchmarks.engine.jobs import Generate, Job, Request
from benchmarks.engine.workload import TokenIds

# Of the block sizes tried the default, 256, shares nothing of prompts as short as ours.
BLOCK, BATCH_TOKENS, WAIT_SECONDS = 32, 2048, 1.0


def serve(job: Job, measure: Callable[[Generate], None]) -> None:
    torch.set_num_threads(job.threads)
    dtype = getattr(torch, job.precision)
    model = AutoModelForCausalLM.from_pretrained(job.model, dtype=dtype).eval()
    managers = _Managers(model, job)
    try:
        measure(managers.generate)
    finally:
        managers.close()


class _Managers:
    """How to draw is fixed when a manager is made, and only one can have the model at a time."""

    def __init__(self, model: Any, job: Job) -> None:
        self._model = model
        blocks_each = -(-job.sequence_tokens // BLOCK) + 1
        self._blocks = 2 * blocks_each * job.most_sequences
        self._most = job.most_sequences
        self._temperature: float | None = None
        self._manager: Any = None

    @torch.inference_mode()
    def generate(self, request: Request) -> list[TokenIds]:
        self._have(request.temperature)
        prompts = [prompt for prompt in request.prompts for _ in range(request.candidates)]
        asked = self._manager.add_requests(prompts, max_new_tokens=request.new_tokens)
        done: dict[str, TokenIds] = {}
        while len(done) < len(asked):
            result = self._manager.get_result(timeout=WAIT_SECONDS)
            if result is None and not self._manager.is_running():
                raise RuntimeError(f"its thread ended: {self._manager.fatal_error}")
            if result is not None and result.is_finished():
                if result.error:
                    raise RuntimeError(result.error)
                done[result.request_id] = list(result.generated_tokens)
        return [done[name] for name in asked]

    def close(self) -> None:
        if self._manager is not None:
            self._manager.stop(block=True)
            self._manager.destroy()

    def _have(self, temperature: float) -> None:
        if temperature == self._temperature:
            return
        self.close()
        sampled = temperature > 0
        drawing = {"temperature": temperature, "top_k": 0, "top_p": 1.0} if sampled else {}
        self._manager = self._model.init_continuous_batching(
            GenerationConfig(do_sample=sampled, eos_token_id=-1, pad_token_id=0, **drawing),
            ContinuousBatchingConfig(
                block_size=BLOCK,
                num_blocks=self._blocks,
                max_batch_tokens=BATCH_TOKENS,
                max_requests_per_batch=self._most,
            ),
        )
        self._manager.start()
        self._temperature = temperature
