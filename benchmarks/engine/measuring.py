"""What a child process does with an engine: ask, count CPU and clock, write down.

Standard library only: other projects' interpreters import it.
"""

import time
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from statistics import median

from benchmarks.cpu_meter import tree_cpu_seconds
from benchmarks.engine.jobs import Generate, Job, Measured, Request, Spent, append_line
from benchmarks.engine.workload import Shape, TokenIds, extended

TEMPERATURE = 1.0
WARM_UP_TOKENS = 4


def measure(job: Job, answers: Path, generate: Generate) -> None:
    """Greedy ids first, then every shape; each is a line of the file `answers`."""
    append_line(answers, generate(Request(job.greedy, 1, job.new_tokens, 0.0)))
    questions = iter(job.questions)
    for shape in job.shapes:
        append_line(answers, asdict(measure_shape(job, shape, questions, generate)))


def measure_shape(
    job: Job, shape: Shape, questions: Iterator[TokenIds], generate: Generate
) -> Measured:
    """The medians over some repeats, each with questions that no cache has seen."""
    warm_up = list(islice(questions, shape.questions))
    generate(Request(warm_up, shape.candidates, WARM_UP_TOKENS, TEMPERATURE))
    repeats = [_measure_once(job, shape, questions, generate) for _ in range(job.repeats)]
    return Measured(
        shape,
        repeats[0].prompt_tokens,
        _median([each.prefill for each in repeats]),
        _median([each.first for each in repeats]),
        _median([each.later for each in repeats]),
        sum(each.cut for each in repeats),
    )


def _measure_once(
    job: Job, shape: Shape, questions: Iterator[TokenIds], generate: Generate
) -> Measured:
    candidates = shape.candidates
    prompts = list(islice(questions, shape.questions))
    _, prefill = _timed(generate, Request(prompts, candidates, 1, TEMPERATURE))
    prompts = list(islice(questions, shape.questions))
    prompt_tokens = sum(map(len, prompts))
    spent, cut = [], 0
    for _ in range(job.levels):
        request = Request(prompts, candidates, job.new_tokens, TEMPERATURE)
        answers, seconds = _timed(generate, request)
        spent.append(seconds)
        cut += _cut(answers, job.new_tokens, shape.sequences)
        prompts = extended(prompts, answers, candidates)
    later = sum(spent[1:], Spent(0.0, 0.0))
    return Measured(shape, prompt_tokens, prefill, spent[0], later, cut)


def _cut(answers: list[TokenIds], new_tokens: int, sequences: int) -> int:
    if len(answers) != sequences:
        raise RuntimeError(f"{len(answers)} answers to {sequences} sequences")
    return sum(len(answer) != new_tokens for answer in answers)


def _timed(generate: Generate, request: Request) -> tuple[list[TokenIds], Spent]:
    cpu, wall = tree_cpu_seconds(), time.perf_counter()
    done = generate(request)
    wall = time.perf_counter() - wall
    return done, Spent(tree_cpu_seconds() - cpu, wall)


def _median(spent: list[Spent]) -> Spent:
    return Spent(median(each.cpu for each in spent), median(each.wall for each in spent))
