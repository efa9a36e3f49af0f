"""Ids and scores of both servers, asked at the same time, against transformers in float32."""

from functools import partial

import trio

from benchmarks.gpu import reference
from benchmarks.gpu.findings import Findings
from benchmarks.gpu.place import POLICY, PPM, Place
from benchmarks.gpu.searching import attached
from rstar_async.demo.problems import word_problems
from rstar_async.search.models import ActiveModels
from rstar_async.wire.payloads import Generate, Generated, Sampling, Score, Scored, TokenIds
from workers.engines.sglang.attached import AttachedServer
from workers.engines.sglang.role import PPM as PPM_ROLE
from workers.engines.sglang.scorer import SGLangScorer

PROMPTS, TOKENS = 16, 48
GREEDY = Sampling(temperature=0.0, max_tokens=TOKENS)
SAMPLED = Sampling(temperature=1.0, max_tokens=TOKENS)
SAMPLES = 4


def measure(place: Place, findings: Findings) -> None:
    prompts = prompts_of(place, PROMPTS)
    steps = [*trio.run(partial(_generated, place, prompts, SAMPLED, SAMPLES))]
    greedy, scored = trio.run(partial(_side_by_side, place, prompts, steps))
    _compare_ids(place, findings, prompts, greedy)
    _compare_scores(place, findings, prompts, steps, scored)


def prompts_of(place: Place, count: int) -> list[TokenIds]:
    encoder = ActiveModels.load(place.models, POLICY, None).encoder
    problems = word_problems(count, (1, 2, 3), 2, "heldout")
    return [encoder.prompt(problem.question) for problem in problems]


async def _side_by_side(
    place: Place, prompts: list[TokenIds], steps: list[Generated]
) -> tuple[list[Generated], list[Scored]]:
    greedy, scored = list[Generated](), list[Scored]()

    async def generate() -> None:
        greedy.extend(await _generated(place, prompts, GREEDY, 1))

    async def score() -> None:
        scored.extend(await _scored(place, prompts, steps))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(generate)
        nursery.start_soon(score)
    return greedy, scored


async def _generated(
    place: Place, prompts: list[TokenIds], sampling: Sampling, samples: int
) -> list[Generated]:
    async with attached(place, place.models) as engine:
        requests = [Generate(POLICY, prompt, samples, 1, sampling) for prompt in prompts]
        return [await engine.generate(request) for request in requests]


async def _scored(place: Place, prompts: list[TokenIds], steps: list[Generated]) -> list[Scored]:
    server = AttachedServer(PPM_ROLE, place.url(PPM), place.models)
    async with SGLangScorer(place.models, server) as scorer:
        return [
            await scorer.score(Score(PPM, prompt, [sample.tokens for sample in reply.samples]))
            for prompt, reply in zip(prompts, steps, strict=True)
        ]


def _compare_ids(
    place: Place, findings: Findings, prompts: list[TokenIds], replies: list[Generated]
) -> None:
    """A token that transformers finds as likely as its own choice is as good as that."""
    policy = reference.Policy(place.models / POLICY)
    chosen = [reply.samples[0].tokens for reply in replies]
    regrets = [r for ids in zip(prompts, chosen, strict=True) for r in policy.regrets(*ids)]
    findings.note("greedy ids compared", len(regrets))
    same = sum(regret == 0 for regret in regrets) / len(regrets)
    findings.note("those that transformers would take", same, "share")
    worst = max(regrets)
    findings.claim("its log probability of those, behind", worst, "", "<=", place.tolerance)


def _compare_scores(
    place: Place,
    findings: Findings,
    prompts: list[TokenIds],
    steps: list[Generated],
    scored: list[Scored],
) -> None:
    ppm = reference.PPM(place.models / PPM)
    pairs = [
        (value, ppm.value([*prompt, *sample.tokens]))
        for prompt, reply, scores in zip(prompts, steps, scored, strict=True)
        for sample, value in zip(reply.samples, scores.values, strict=True)
    ]
    findings.note("scores compared", len(pairs))
    expected = [value for _, value in pairs]
    findings.note("their range", max(expected) - min(expected))
    worst = max(abs(value - by_transformers) for value, by_transformers in pairs)
    findings.claim("largest difference of a score", worst, "", "<=", place.tolerance)
