"""vLLM for CPUs, with its prefix cache, in this process."""

import os
from collections.abc import Callable
from typing import Any

from benchmarks.engine.jobs import Generate, Job, Request
from benchmarks.engine.workload import TokenIds

CACHE_GIB = "2"


def serve(job: Job, measure: Callable[[Generate], None]) -> None:
    os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
    os.environ["VLLM_CPU_KVCACHE_SPACE"] = CACHE_GIB
    os.environ["VLLM_CPU_OMP_THREADS_BIND"] = "nobind"
    os.environ["VLLM_NO_USAGE_STATS"] = os.environ["DO_NOT_TRACK"] = "1"
    import vllm

    model = vllm.LLM(
        job.model,
        skip_tokenizer_init=True,
        dtype=job.precision,
        max_model_len=job.sequence_tokens + 8,
        max_num_seqs=job.most_sequences,
        enable_prefix_caching=True,
    )
    measure(lambda request: _generate(model, request))


def _generate(model: Any, request: Request) -> list[TokenIds]:
    from vllm import SamplingParams, TokensPrompt

    how = SamplingParams(
        n=request.candidates,
        temperature=request.temperature,
        max_tokens=request.new_tokens,
        ignore_eos=True,
        detokenize=False,
    )
    prompts = [TokensPrompt(prompt_token_ids=prompt) for prompt in request.prompts]
    outputs = model.generate(prompts, how, use_tqdm=False)
    return [list(choice.token_ids) for output in outputs for choice in output.outputs]
