"""The local engine against transformers' own generate, on real tiny models."""

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import trio

from rstar_async.engines.errors import BadRequest, EngineFailed, ModelUnavailable
from rstar_async.wire.payloads import Generate, Generated, Sampling
from tests.workers.engines import oracle
from tests.workers.engines.tiny import CONTEXT, TOKEN_BYTES, VOCABULARY, edit_config, tokenizer
from workers.engines.local.engine import LocalEngine
from workers.engines.local.settings import LocalSettings

Tokens = Callable[[int], list[int]]

GREEDY = Sampling(temperature=0, max_tokens=12)
WARM = Sampling(temperature=1.0, max_tokens=20)


def greedy(model: str, prompt: list[int], *, n: int = 1, count: int = 12) -> Generate:
    return Generate(model, prompt, n, 0, Sampling(temperature=0, max_tokens=count))


def drawn(reply: Generated) -> list[list[int]]:
    return [sample.tokens for sample in reply.samples]


async def all_at_once(engine: LocalEngine, requests: list[Generate]) -> list[Generated]:
    replies: dict[int, Generated] = {}

    async def one(index: int) -> None:
        replies[index] = await engine.generate(requests[index])

    async with trio.open_nursery() as nursery:
        for index in range(len(requests)):
            nursery.start_soon(one, index)
    return [replies[index] for index in range(len(requests))]


# -- the right tokens


@pytest.mark.parametrize("model", ["llama", "qwen", "sliding"])
@pytest.mark.parametrize("cache_mib", [0, 8])
async def test_greedy_tokens_are_those_of_transformers(
    models_dir: Path, tokens: Tokens, model: str, cache_mib: int
) -> None:
    prompt = tokens(20)
    async with LocalEngine(models_dir, LocalSettings(cache_mib=cache_mib)) as engine:
        for length in (20, 20, 9, 1):
            reply = await engine.generate(greedy(model, prompt[:length]))
            assert drawn(reply) == [oracle.greedy(models_dir / model, prompt[:length], 12)]


@pytest.mark.parametrize("model", ["llama", "qwen"])
async def test_a_mixed_batch_changes_no_answer(
    models_dir: Path, tokens: Tokens, model: str
) -> None:
    shared = tokens(40)
    prompts = [shared[:k] + tokens(j) for k in (0, 17, 40) for j in (1, 3, 30, 70)]
    requests = [
        greedy(model, prompt, n=(1, 2, 5, 9)[i % 4], count=(3, 18, 40)[i % 3])
        for i, prompt in enumerate(prompts)
    ]
    async with LocalEngine(models_dir, LocalSettings(rows=32, prefill_tokens=100)) as engine:
        replies = await all_at_once(engine, requests)
    for request, reply in zip(requests, replies, strict=True):
        count = request.sampling.max_tokens
        expected = oracle.greedy(models_dir / model, request.prompt, count)
        assert drawn(reply) == [expected] * request.n


async def test_a_sequence_may_outgrow_every_table(models_dir: Path, tokens: Tokens) -> None:
    prompt = tokens(10)
    async with LocalEngine(models_dir) as engine:
        reply = await engine.generate(greedy("llama", prompt, n=2, count=140))
    assert drawn(reply) == [oracle.greedy(models_dir / "llama", prompt, 140)] * 2


async def test_more_samples_than_the_batch_holds_are_still_answered(models_dir: Path) -> None:
    async with LocalEngine(models_dir, LocalSettings(rows=4)) as engine:
        reply = await engine.generate(greedy("llama", [1, 2, 3], n=11))
    assert len(reply.samples) == 11


# -- the prefix cache


async def test_cached_tokens_are_exact_along_a_tree(models_dir: Path, tokens: Tokens) -> None:
    root = tokens(30)
    async with LocalEngine(models_dir) as engine:

        async def cached(prompt: list[int], n: int = 1) -> tuple[int, int, list[list[int]]]:
            reply = await engine.generate(Generate("llama", prompt, n, 5, WARM))
            return reply.prompt_tokens, reply.cached_tokens, drawn(reply)

        count, hits, (step, other, _) = await cached(root, n=3)
        assert (count, hits) == (30, 0)
        assert (await cached(root))[:2] == (30, 29)  # the last token is always computed
        # A step's last token was drawn but never fed, so it is new to the model.
        child = [*root, *step, 3, 3]
        assert (await cached(child))[:2] == (52, 49)
        assert (await cached([*root, *other[:7], 9]))[:2] == (38, 37)
        assert (await cached([*child, 1, 2, 3]))[:2] == (55, 52)
        assert (await cached([*root[:11], *tokens(5)]))[1] >= 11
        seen = engine.statistics()
    assert seen.requests == 6
    assert seen.prompt_tokens == 30 + 30 + 52 + 38 + 55 + 16
    assert seen.new_tokens == (3 + 5) * 20


async def test_a_prefix_that_arrives_with_many_requests_is_computed_once(
    models_dir: Path, tokens: Tokens
) -> None:
    examples = tokens(60)
    requests = [greedy("llama", [*examples, i, i, i]) for i in range(20)]
    async with LocalEngine(models_dir) as engine:
        replies = await all_at_once(engine, requests)
    assert sorted(reply.cached_tokens for reply in replies) == [0] + [60] * 19
    for request, reply in zip(requests, replies, strict=True):
        assert drawn(reply) == [oracle.greedy(models_dir / "llama", request.prompt, 12)]


async def test_without_a_cache_nothing_counts_as_cached(models_dir: Path) -> None:
    async with LocalEngine(models_dir, LocalSettings(cache_mib=0)) as engine:
        for _ in range(2):
            reply = await engine.generate(greedy("llama", [1, 2, 3]))
            assert reply.cached_tokens == 0
        assert engine.statistics().cache_bytes == 0


async def test_a_full_cache_evicts_without_wrong_answers(models_dir: Path, tokens: Tokens) -> None:
    prompts = [tokens(100) for _ in range(60)]
    capacity = (1 << 20) // TOKEN_BYTES
    assert sum(map(len, prompts)) > capacity
    async with LocalEngine(models_dir, LocalSettings(cache_mib=1)) as engine:
        await all_at_once(engine, [greedy("llama", prompt) for prompt in prompts])
        assert engine.statistics().cache_bytes <= 1 << 20
        for prompt in (prompts[0], prompts[30], prompts[59]):
            reply = await engine.generate(greedy("llama", [*prompt, 5]))
            assert drawn(reply) == [oracle.greedy(models_dir / "llama", [*prompt, 5], 12)]


# -- sampling


async def test_draws_do_not_depend_on_what_else_is_in_the_batch(
    models_dir: Path, tokens: Tokens
) -> None:
    wanted = Generate("llama", tokens(25), 4, 1234, WARM)
    others = [Generate("llama", tokens(3 * i + 1), 3, i, WARM) for i in range(15)]
    async with LocalEngine(models_dir) as engine:
        alone = drawn(await engine.generate(wanted))
    async with LocalEngine(models_dir) as engine:
        crowded = drawn((await all_at_once(engine, [*others, wanted]))[-1])
        again = drawn(await engine.generate(wanted))
    assert alone == crowded == again
    assert len({tuple(sample) for sample in alone}) == 4


@pytest.mark.parametrize("model", ["llama", "sliding"])
async def test_a_sample_depends_on_seed_and_index_only(models_dir: Path, model: str) -> None:
    async with LocalEngine(models_dir) as engine:

        async def samples(n: int, seed: int) -> list[list[int]]:
            return drawn(await engine.generate(Generate(model, [1, 2, 3], n, seed, WARM)))

        assert await samples(2, 8) == (await samples(5, 8))[:2]
        assert await samples(2, 8) != await samples(2, 9)


async def test_the_fallback_draws_what_the_batched_engine_draws(models_dir: Path) -> None:
    """The same model twice, once with a window that no text here is long enough to feel."""
    from transformers import MistralConfig, MistralForCausalLM

    from tests.workers.engines.tiny import SHAPE, lively, write

    for name, window in (("fast", None), ("plain", 100)):
        model = MistralForCausalLM(MistralConfig(**SHAPE, sliding_window=window))
        write(models_dir / name, lively(model, 9))
    request = Generate("fast", [4, 5, 6], 5, 77, Sampling(top_p=0.8, max_tokens=15))
    async with LocalEngine(models_dir, LocalSettings(models_in_memory=2)) as engine:
        fast = await engine.generate(request)
        plain = await engine.generate(msgspec.structs.replace(request, model="plain"))
        again = await engine.generate(request)
    assert drawn(fast) == drawn(plain) == drawn(again)
    assert (again.cached_tokens, plain.cached_tokens) == (2, 0)


# -- stops


@pytest.mark.parametrize("model", ["llama", "sliding"])
async def test_a_stop_id_ends_a_sample_and_stays(models_dir: Path, model: str) -> None:
    free = oracle.greedy(models_dir / model, [1, 2, 3], 30)
    stop = free[8]
    cut = free[: free.index(stop) + 1]
    sampling = Sampling(temperature=0, max_tokens=30, stop_token_ids=(stop,))
    async with LocalEngine(models_dir) as engine:
        (sample,) = (await engine.generate(Generate(model, [1, 2, 3], 1, 0, sampling))).samples
    assert (sample.tokens, sample.finish) == (cut, "stop")
    assert sample.text == tokenizer().decode(cut, skip_special_tokens=False)


@pytest.mark.parametrize("model", ["llama", "sliding"])
async def test_a_stop_text_may_begin_and_end_inside_tokens(models_dir: Path, model: str) -> None:
    free = oracle.greedy(models_dir / model, [1, 2, 3], 30)
    decode = tokenizer().decode
    text = decode(free)
    begins = len(decode(free[:6])) - 1
    stop = text[begins : begins + 3]
    kept = next(k for k in range(1, 31) if stop in decode(free[:k]))
    sampling = Sampling(temperature=0, max_tokens=30, stop_texts=("never", stop))
    async with LocalEngine(models_dir) as engine:
        (sample,) = (await engine.generate(Generate(model, [1, 2, 3], 1, 0, sampling))).samples
    assert (sample.tokens, sample.finish) == (free[:kept], "stop")
    assert stop in sample.text
    assert sample.text == decode(free[:kept])


@pytest.mark.parametrize("model", ["llama", "sliding"])
async def test_an_end_of_text_token_is_dropped_unless_it_is_a_stop(
    models_dir: Path, tmp_path: Path, model: str
) -> None:
    free = oracle.greedy(models_dir / model, [1, 2, 3], 30)
    end = free[7]
    first = free.index(end)
    shutil.copytree(models_dir / model, tmp_path / "m")
    (tmp_path / "m" / "generation_config.json").unlink()
    edit_config(tmp_path / "m", eos_token_id=end)
    async with LocalEngine(tmp_path) as engine:

        async def ended(**stops: tuple[int, ...]) -> tuple[list[int], str]:
            sampling = Sampling(temperature=0, max_tokens=30, **stops)
            reply = await engine.generate(Generate("m", [1, 2, 3], 1, 0, sampling))
            return reply.samples[0].tokens, reply.samples[0].finish

        assert await ended() == (free[:first], "eos")
        assert await ended(stop_token_ids=(end,)) == (free[: first + 1], "stop")


@pytest.mark.parametrize("model", ["llama", "sliding"])
async def test_a_sample_never_leaves_the_context(
    models_dir: Path, tokens: Tokens, model: str
) -> None:
    async with LocalEngine(models_dir) as engine:
        for length, room in ((CONTEXT - 3, 3), (CONTEXT, 0), (CONTEXT + 5, 0)):
            reply = await engine.generate(greedy(model, tokens(length), n=2))
            assert [(len(s.tokens), s.finish) for s in reply.samples] == [(room, "length")] * 2


# -- refusals


@pytest.mark.parametrize(
    ("prompt", "changes", "complaint"),
    [
        ([], {}, "prompt is empty"),
        ([1, VOCABULARY], {}, f"token id {VOCABULARY}; the model knows 0 to {VOCABULARY - 1}"),
        ([-1], {}, "token id -1"),
        ([1], {"temperature": -1.0}, "temperature"),
        ([1], {"top_p": 0.0}, "top_p"),
        ([1], {"stop_texts": ("",)}, "stop text is empty"),
    ],
)
@pytest.mark.parametrize("model", ["llama", "sliding"])
async def test_a_bad_request_is_refused_and_the_engine_goes_on(
    models_dir: Path, prompt: list[int], changes: dict[str, float], complaint: str, model: str
) -> None:
    async with LocalEngine(models_dir) as engine:
        with pytest.raises(BadRequest, match=complaint):
            await engine.generate(Generate(model, prompt, 1, 0, Sampling(**changes)))
        await engine.generate(greedy(model, [1]))


async def test_bad_model_folders_are_named_with_the_reason(
    models_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    shutil.copytree(models_dir / "llama", tmp_path / "bare")
    (tmp_path / "bare" / "model.safetensors").unlink()
    shutil.copytree(models_dir / "llama", tmp_path / "torn")
    weights = tmp_path / "torn" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4000])
    shutil.copytree(models_dir / "llama", tmp_path / "grown")
    edit_config(tmp_path / "grown", num_hidden_layers=3)
    shutil.copytree(models_dir / "llama", tmp_path / "unheard")
    edit_config(tmp_path / "unheard", model_type="unheard")
    shutil.copytree(models_dir / "llama", tmp_path / "good")
    shutil.copytree(models_dir / "llama-ppm", tmp_path / "ppm")
    reasons = {
        "absent": "no such folder",
        "empty": "config.json cannot be read",
        "bare": "no weights",
        "torn": "(?i)safetensor",
        "grown": "weights are missing",
        "unheard": "does not know the family 'unheard'.* sglang or openai may",
        "ppm": "LlamaForSequenceClassification does not generate",
        "../good": "not the name of a version",
    }
    async with LocalEngine(tmp_path) as engine:
        before = await engine.generate(greedy("good", [1, 2]))
        for version, reason in reasons.items():
            with pytest.raises(ModelUnavailable, match=reason) as caught:
                await engine.generate(greedy(version, [1, 2]))
            assert str(caught.value.folder).startswith(str(tmp_path))
            assert "\n" not in str(caught.value)
        assert engine.statistics().versions == ("good",)
        after = await engine.generate(greedy("good", [1, 2]))
    assert drawn(before) == drawn(after)
    assert after.cached_tokens == 1


# -- versions, cancellation, the end


@pytest.mark.parametrize("in_memory", [1, 2])
async def test_each_request_is_answered_by_the_version_it_names(
    models_dir: Path, tokens: Tokens, in_memory: int
) -> None:
    requests = [greedy(("llama", "llama-2", "qwen")[i % 3], tokens(5 + i)) for i in range(15)]
    async with LocalEngine(models_dir, LocalSettings(models_in_memory=in_memory)) as engine:
        replies = await all_at_once(engine, requests)
        assert len(engine.statistics().versions) == in_memory
    for request, reply in zip(requests, replies, strict=True):
        assert reply.model == request.model
        expected = oracle.greedy(models_dir / request.model, request.prompt, 12)
        assert drawn(reply) == [expected]


@pytest.mark.parametrize("model", ["llama", "sliding"])
async def test_a_cancelled_request_frees_its_sequences(models_dir: Path, model: str) -> None:
    async with LocalEngine(models_dir, LocalSettings(rows=8)) as engine:
        await engine.generate(greedy(model, [1]))
        with trio.move_on_after(0.05) as scope:
            await engine.generate(greedy(model, [1, 2, 3], n=8, count=150))
        assert scope.cancelled_caught
        with trio.fail_after(10):
            reply = await engine.generate(greedy(model, [1, 2, 3]))
            assert engine.statistics().running_samples == 0
    assert drawn(reply) == [oracle.greedy(models_dir / model, [1, 2, 3], 12)]


async def test_closing_fails_waiting_requests(models_dir: Path) -> None:
    failures: list[Exception] = []

    async def ask(engine: LocalEngine) -> None:
        try:
            await engine.generate(greedy("llama", [1, 2, 3], n=8, count=150))
        except EngineFailed as error:
            failures.append(error)

    async with trio.open_nursery() as nursery, LocalEngine(models_dir) as engine:
        await engine.generate(greedy("llama", [1]))
        nursery.start_soon(ask, engine)
        await trio.sleep(0.05)
    assert [str(failure) for failure in failures] == ["the engine was closed"]
    with pytest.raises(EngineFailed, match="closed"):
        await engine.generate(greedy("llama", [1]))
