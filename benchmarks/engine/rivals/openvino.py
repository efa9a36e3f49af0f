"""OpenVINO GenAI's continuous batching with its prefix cache, which reads GGUF files itself."""

from collections.abc import Callable
from typing import Any

import numpy as np
import openvino
import openvino_genai

from benchmarks.engine.jobs import Generate, Job, Request
from benchmarks.engine.workload import TokenIds

CACHE_GIB, BATCH_TOKENS = 2, 2048


def serve(job: Job, measure: Callable[[Generate], None]) -> None:
    scheduler = openvino_genai.SchedulerConfig()
    scheduler.cache_size = CACHE_GIB
    scheduler.enable_prefix_caching = True
    scheduler.max_num_seqs = job.most_sequences
    scheduler.max_num_batched_tokens = BATCH_TOKENS
    properties = {"INFERENCE_NUM_THREADS": job.threads}
    pipeline = openvino_genai.ContinuousBatchingPipeline(job.gguf, scheduler, "CPU", properties)
    measure(lambda request: _generate(pipeline, request))


def _generate(pipeline: Any, request: Request) -> list[TokenIds]:
    inputs = [openvino.Tensor(np.array([prompt], np.int64)) for prompt in request.prompts]
    outputs = pipeline.generate(inputs, [_how(request)] * len(inputs))
    return [list(ids) for output in outputs for ids in output.m_generation_ids]


def _how(request: Request) -> Any:
    how = openvino_genai.GenerationConfig()
    how.max_new_tokens = request.new_tokens
    how.ignore_eos = True
    how.do_sample = request.temperature > 0
    how.num_return_sequences = request.candidates
    if how.do_sample:
        how.temperature = request.temperature
    return how
