"""The local PPM against transformers' own forward, one sequence at a time."""

import logging
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import trio
from safetensors.torch import load_file, save_file

from rstar_async.engines.errors import BadRequest, ModelUnavailable
from rstar_async.wire.payloads import Score, Scored
from tests.workers.engines import oracle
from tests.workers.engines.tiny import CONTEXT, edit_config
from workers.engines.local.scorer import LocalScorer
from workers.engines.local.settings import LocalSettings

Tokens = Callable[[int], list[int]]
MODELS = ["llama-ppm", "qwen-ppm", "sliding-ppm"]


def expected(models_dir: Path, request: Score) -> list[float]:
    folder = models_dir / request.model
    return [oracle.value(folder, [*request.prefix, *step]) for step in request.steps]


async def all_at_once(scorer: LocalScorer, requests: list[Score]) -> list[Scored]:
    replies: dict[int, Scored] = {}

    async def one(index: int) -> None:
        replies[index] = await scorer.score(requests[index])

    async with trio.open_nursery() as nursery:
        for index in range(len(requests)):
            nursery.start_soon(one, index)
    return [replies[index] for index in range(len(requests))]


@pytest.mark.parametrize("cache_mib", [0, 8])
@pytest.mark.parametrize("model", MODELS)
async def test_values_are_those_of_transformers(
    models_dir: Path, tokens: Tokens, model: str, cache_mib: int
) -> None:
    prefix = tokens(40)
    requests = [
        Score(model, prefix, [tokens(k) for k in (1, 9, 4)]),
        Score(model, prefix[:25], [tokens(5)]),
        Score(model, [*prefix, *tokens(7)], [tokens(3), tokens(3)]),
        Score(model, [], [tokens(6), tokens(1)]),
    ]
    async with LocalScorer(models_dir, LocalSettings(cache_mib=cache_mib)) as scorer:
        for _ in range(2):
            for request, reply in zip(requests, await all_at_once(scorer, requests), strict=True):
                assert reply.values == pytest.approx(expected(models_dir, request), abs=1e-5)


async def test_a_tree_of_scores_computes_each_step_once(models_dir: Path, tokens: Tokens) -> None:
    prefix, steps = tokens(30), [tokens(4), tokens(6)]
    async with LocalScorer(models_dir) as scorer:

        async def counts(prefix: list[int], *steps: list[int]) -> tuple[int, int]:
            request = Score("llama-ppm", prefix, list(steps))
            reply = await scorer.score(request)
            assert reply.values == pytest.approx(expected(models_dir, request), abs=1e-5)
            return reply.prompt_tokens, reply.cached_tokens

        assert await counts(prefix, *steps) == (40, 0)
        assert await counts([*prefix, *steps[1]], tokens(5)) == (41, 36)
        assert await counts([*prefix, *steps[0], 7, 8], tokens(2)) == (38, 34)
        assert await counts(prefix[:10], steps[0]) == (14, 10)
        assert scorer.statistics().cached_tokens == 80


async def test_a_prefix_that_arrives_with_many_requests_is_computed_once(
    models_dir: Path, tokens: Tokens
) -> None:
    prefix = tokens(50)
    requests = [Score("qwen-ppm", prefix, [[i, i]]) for i in range(8)]
    async with LocalScorer(models_dir) as scorer:
        replies = await all_at_once(scorer, requests)
    assert sorted(reply.cached_tokens for reply in replies) == [0] + [50] * 7
    for request, reply in zip(requests, replies, strict=True):
        assert reply.values == pytest.approx(expected(models_dir, request), abs=1e-5)


async def test_more_tokens_than_a_pass_takes_need_more_passes(
    models_dir: Path, tokens: Tokens
) -> None:
    requests = [Score("llama-ppm", tokens(50), [tokens(20)] * 3) for _ in range(6)]
    async with LocalScorer(models_dir, LocalSettings(batch_tokens=100)) as scorer:
        for request, reply in zip(requests, await all_at_once(scorer, requests), strict=True):
            assert reply.values == pytest.approx(expected(models_dir, request), abs=1e-5)


@pytest.mark.parametrize("model", ["llama-ppm", "sliding-ppm"])
async def test_a_step_that_leaves_the_context_has_no_value(
    models_dir: Path, tokens: Tokens, model: str
) -> None:
    prefix, short, long = tokens(CONTEXT - 5), tokens(5), tokens(6)
    async with LocalScorer(models_dir) as scorer:
        mixed = await scorer.score(Score(model, prefix, [long, short, long]))
        alone = await scorer.score(Score(model, prefix, [short]))
        none = await scorer.score(Score(model, tokens(CONTEXT + 1), [short, long]))
    assert [math.isnan(value) for value in mixed.values] == [True, False, True]
    assert mixed.values[1] == pytest.approx(alone.values[0], abs=1e-5)
    assert [math.isnan(value) for value in none.values] == [True, True]


@pytest.mark.parametrize("model", ["llama-ppm", "sliding-ppm"])
async def test_bad_requests_are_refused(models_dir: Path, model: str) -> None:
    async with LocalScorer(models_dir) as scorer:
        for request, complaint in (
            (Score(model, [1], []), "no step"),
            (Score(model, [1], [[2], []]), "a step is empty"),
            (Score(model, [99], [[1]]), "the prefix holds token id 99"),
            (Score(model, [1], [[-1]]), "a step holds token id -1"),
        ):
            with pytest.raises(BadRequest, match=complaint):
                await scorer.score(request)
        await scorer.score(Score(model, [1], [[2]]))


async def test_other_kinds_of_models_are_refused(models_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(models_dir / "llama-ppm", tmp_path / "headless")
    weights = load_file(tmp_path / "headless" / "model.safetensors")
    del weights["score.weight"]
    save_file(weights, tmp_path / "headless" / "model.safetensors", {"format": "pt"})
    shutil.copytree(models_dir / "two-labels", tmp_path / "two-labels")
    shutil.copytree(models_dir / "llama", tmp_path / "llama")
    shutil.copytree(models_dir / "llama-ppm", tmp_path / "custom")
    edit_config(tmp_path / "custom", architectures=["PPM"])
    async with LocalScorer(tmp_path) as scorer:
        for version, reason in (
            ("llama", "config.json names LlamaForCausalLM"),
            ("custom", "config.json names PPM"),
            ("two-labels", "this one has 2"),
            ("headless", "weights are missing: score.weight"),
        ):
            with pytest.raises(ModelUnavailable, match=reason):
                await scorer.score(Score(version, [1], [[2]]))


def with_bias(source: Path, folder: Path, bias: float) -> None:
    shutil.copytree(source, folder)
    weights = load_file(folder / "model.safetensors")
    weights["score.bias"] = torch.full((1,), bias)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


async def test_a_bias_in_the_head_must_be_zero(
    models_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """SGLang adds it and transformers does not, so only zero means the same to both."""
    with_bias(models_dir / "qwen-ppm", tmp_path / "zero", 0.0)
    with_bias(models_dir / "qwen-ppm", tmp_path / "half", 0.5)
    shutil.copytree(models_dir / "qwen-ppm", tmp_path / "none")
    async with LocalScorer(tmp_path) as scorer:
        with caplog.at_level(logging.WARNING, logger="workers.engines"):
            zero = await scorer.score(Score("zero", [1], [[2]]))
        assert "score.bias" not in caplog.text
        with pytest.raises(ModelUnavailable, match=r"score\.bias is not zero"):
            await scorer.score(Score("half", [1], [[2]]))
        with caplog.at_level(logging.WARNING, logger="workers.engines"):
            none = await scorer.score(Score("none", [1], [[2]]))
        assert "no score.bias=0" in caplog.text
    assert zero.values == none.values


async def test_each_request_is_scored_by_the_version_it_names(
    models_dir: Path, tokens: Tokens
) -> None:
    requests = [Score(MODELS[i % 3], tokens(6 + i), [tokens(3)]) for i in range(9)]
    async with LocalScorer(models_dir) as scorer:
        for request, reply in zip(requests, await all_at_once(scorer, requests), strict=True):
            assert reply.model == request.model
            assert reply.values == pytest.approx(expected(models_dir, request), abs=1e-5)
