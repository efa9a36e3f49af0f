"""The SGLang engine on a real server, compared with transformers."""

from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import trio

from rstar_async.engines.errors import BadRequest, EngineFailed, ModelUnavailable
from rstar_async.wire.payloads import Generate, Generated, Sampling
from tests.workers.engines.sglang.server import needs_sglang, serving
from workers.engines.sglang.attached import AttachedServer
from workers.engines.sglang.engine import SGLangEngine
from workers.engines.sglang.role import POLICY, PPM

pytestmark = needs_sglang
PROMPT = list(range(30, 70))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.workers.engines.sglang.models import write_policies

    root = tmp_path_factory.mktemp("policies")
    write_policies(root)
    return root


@pytest.fixture(scope="module")
def url(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("log") / "policy.log"
    with serving(models / "first", log, "--enable-metrics") as url:
        yield url


@asynccontextmanager
async def attached(models: Path, url: str, first: str | None = None):
    with trio.fail_after(300):
        async with SGLangEngine(models, AttachedServer(POLICY, url, models), first) as engine:
            yield engine


def ask(model: str = "first", prompt: list[int] = PROMPT, n: int = 1, **sampling) -> Generate:
    settings = {"temperature": 0.0, "max_tokens": 12, **sampling}
    return Generate(model, prompt, n, 5, Sampling(**settings))


def post(url: str, route: str, body: dict | None = None) -> None:
    httpx.post(f"{url}{route}", json=body, timeout=60).raise_for_status()


async def test_greedy_ids_are_those_of_transformers_before_and_after_a_switch(
    models: Path, url: str
) -> None:
    from tests.workers.engines import oracle

    async with attached(models, url) as engine:
        for version in ("first", "second", "first"):
            reply = await engine.generate(ask(version))
            assert reply.model == version
            assert reply.samples[0].tokens == oracle.greedy(models / version, PROMPT, 12)
            assert reply.cached_tokens == 0  # a switch forgets what other weights computed


async def test_a_step_is_cut_at_its_stop_id(models: Path, url: str) -> None:
    from tests.workers.engines import oracle

    stop = oracle.greedy(models / "first", PROMPT, 12)[4]
    async with attached(models, url) as engine:
        sample = (await engine.generate(ask(stop_token_ids=(stop,)))).samples[0]
    free = oracle.greedy(models / "first", PROMPT, 12)
    assert sample.tokens == free[: free.index(stop) + 1]
    assert sample.finish == "stop"


async def test_a_stop_text_keeps_the_token_that_ends_it_and_nothing_after(
    models: Path, url: str
) -> None:
    from tests.workers.engines.sglang.models import TOKENIZER

    async with attached(models, url) as engine:
        free = (await engine.generate(ask(max_tokens=20))).samples[0]
        text = free.text[3:5]
        sample = (await engine.generate(ask(max_tokens=20, stop_texts=(text,)))).samples[0]
    assert sample.finish == "stop"
    assert sample.tokens == free.tokens[: len(sample.tokens)]
    assert text in sample.text
    assert text not in TOKENIZER.decode(sample.tokens[:-1], skip_special_tokens=False)


async def test_samples_differ_and_the_next_step_is_served_from_the_cache(
    models: Path, url: str
) -> None:
    post(url, "/flush_cache")
    async with attached(models, url) as engine:
        reply = await engine.generate(ask(n=6, temperature=1.0))
        assert (reply.prompt_tokens, reply.cached_tokens) == (40, 0)
        assert len({tuple(sample.tokens) for sample in reply.samples}) > 1
        for sample in reply.samples:
            child = [*PROMPT, *sample.tokens]
            grown = await engine.generate(ask(prompt=child, n=3))
            assert grown.cached_tokens == len(child) - 1
        assert engine.statistics().cached_tokens == 6 * (40 + 12 - 1)


async def test_logprobs_are_those_of_transformers(models: Path, url: str) -> None:
    import torch

    from tests.workers.engines import oracle

    async with attached(models, url) as engine:
        request = ask(n=2, temperature=1.0)
        request = Generate(*[getattr(request, f) for f in request.__struct_fields__[:5]], True)
        samples = (await engine.generate(request)).samples
    for sample in samples:
        with torch.inference_mode():
            logits = oracle.generator(models / "first")(torch.tensor([PROMPT + sample.tokens]))
        rows = logits.logits[0].log_softmax(-1)[len(PROMPT) - 1 :]
        expected = [float(row[token]) for row, token in zip(rows, sample.tokens, strict=False)]
        assert list(sample.logprobs) == pytest.approx(expected, abs=1e-4)


async def test_a_prompt_without_room_for_a_token_gets_empty_samples(models: Path, url: str) -> None:
    from tests.workers.engines.sglang.models import CONTEXT

    async with attached(models, url) as engine:
        full = await engine.generate(ask(prompt=[30] * CONTEXT, n=2))
        beyond = await engine.generate(ask(prompt=[30] * (CONTEXT + 300)))
        almost = await engine.generate(ask(prompt=[30] * (CONTEXT - 8)))
    assert [(s.tokens, s.finish) for s in full.samples] == [([], "length")] * 2
    assert [(s.tokens, s.finish) for s in beyond.samples] == [([], "length")]
    assert almost.samples[0].finish == "length"
    assert 0 < len(almost.samples[0].tokens) <= 8


@pytest.mark.parametrize("bad", [[950], [-1]])
async def test_ids_that_would_end_the_server_are_never_sent(
    models: Path, url: str, bad: list[int]
) -> None:
    async with attached(models, url) as engine:
        with pytest.raises(BadRequest, match="token id"):
            await engine.generate(ask(prompt=[*PROMPT, *bad]))
        assert (await engine.generate(ask())).samples[0].tokens


async def test_versions_take_turns_and_every_request_gets_its_own(models: Path, url: str) -> None:
    from tests.workers.engines import oracle

    replies: list[Generated] = []

    async def one(engine: SGLangEngine, version: str, first: int) -> None:
        replies.append(await engine.generate(ask(version, [first, *PROMPT])))

    async with attached(models, url) as engine, trio.open_nursery() as nursery:
        for first in range(10, 18):
            nursery.start_soon(one, engine, ("first", "second")[first % 2], first)
    answers = {(reply.model, tuple(reply.samples[0].tokens)) for reply in replies}
    assert answers == {
        (version, tuple(oracle.greedy(models / version, [first, *PROMPT], 12)))
        for first in range(10, 18)
        for version in [("first", "second")[first % 2]]
    }


@pytest.mark.parametrize(
    ("version", "complaint"),
    [
        ("absent", "no such folder"),
        ("narrow", "shapes are not those"),
        ("cut", "bytes, its header says"),
        ("mistaken", "where its manifest says"),
    ],
)
async def test_a_version_that_cannot_be_served_leaves_the_old_one_in_place(
    models: Path, url: str, version: str, complaint: str
) -> None:
    from tests.workers.engines import oracle

    async with attached(models, url, "first") as engine:
        with pytest.raises(ModelUnavailable, match=complaint):
            await engine.generate(ask(version))
        reply = await engine.generate(ask("first"))
    assert reply.samples[0].tokens == oracle.greedy(models / "first", PROMPT, 12)


async def test_weights_that_another_client_exchanged_are_noticed(models: Path, url: str) -> None:
    from rstar_async.engines.errors import Interrupted
    from tests.workers.engines import oracle

    async with attached(models, url, "first") as engine:
        body = {"model_path": str(models / "second"), "weight_version": "second"}
        await trio.to_thread.run_sync(lambda: post(url, "/update_weights_from_disk", body))
        with pytest.raises(Interrupted, match="computed with second, not first"):
            await engine.generate(ask("first"))
        reply = await engine.generate(ask("first"))
    assert reply.samples[0].tokens == oracle.greedy(models / "first", PROMPT, 12)


async def test_a_cancelled_request_leaves_the_server_at_once(models: Path, url: str) -> None:
    """Forty thousand tokens would keep it busy for much longer than it is given to be idle."""
    long = ask(n=200, temperature=1.0, max_tokens=200, top_p=0.99)
    async with attached(models, url, "first") as engine:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(engine.generate, long)
            while running(url) == 0:  # noqa: ASYNC110
                await trio.sleep(0.02)
            nursery.cancel_scope.cancel()
        with trio.fail_after(5):
            while running(url) > 0:  # noqa: ASYNC110
                await trio.sleep(0.1)
        assert (await engine.generate(ask())).samples[0].tokens


async def test_its_memory_can_be_released_and_taken_back_with_the_same_weights(
    models: Path, url: str
) -> None:
    """Without a GPU nothing is freed, but every route and their order are the real ones."""
    from rstar_async.coordinator.gpu_sharing import SGLangDevice, SharedGPU
    from tests.workers.engines import oracle

    gpu = SharedGPU([SGLangDevice(url), SGLangDevice("http://127.0.0.1:9")])
    async with attached(models, url, "second") as engine:
        for owner in ("trainer", "trainer", "servers", "servers"):
            await gpu.hand_over(owner)
        reply = await engine.generate(ask("second"))
    assert reply.samples[0].tokens == oracle.greedy(models / "second", PROMPT, 12)


async def test_a_server_that_a_dead_driver_left_half_way_is_not_touched_again(
    models: Path, url: str
) -> None:
    from rstar_async.coordinator.gpu_sharing import Action, SGLangDevice, SharedGPU
    from rstar_async.errors import BadInput

    device = SGLangDevice(url)
    async with attached(models, url, "first") as engine:
        await device.do(Action.PAUSE)
        for owner in ("trainer", "servers"):
            with pytest.RaisesGroup(pytest.RaisesExc(BadInput, match="start it again")):
                await SharedGPU([device]).hand_over(owner)
        await device.do(Action.RESUME)
        await SharedGPU([device]).hand_over("servers")
        assert (await engine.generate(ask())).samples[0].tokens


async def test_a_server_with_completions_can_serve_a_policy(models: Path, url: str) -> None:
    from rstar_async.errors import BadInput
    from tests.workers.engines.sglang.models import CONTEXT, TOKENIZER
    from workers.engines.openai import OpenAIEngine, OpenAISettings

    async with attached(models, url, "first") as engine:
        free = (await engine.generate(ask())).samples[0]
    stop = free.tokens[5]
    (name,) = await trio.to_thread.run_sync(lambda: model_names(url))
    async with OpenAIEngine(models, OpenAISettings(url=f"{url}/v1", served_as=name)) as engine:
        reply = await engine.generate(ask(n=2))
        beyond = await engine.generate(ask(prompt=[30] * (CONTEXT + 300), n=2))
        stopped = await engine.generate(ask(stop_token_ids=(stop,)))
        with pytest.raises(ModelUnavailable, match="serves first already"):
            await engine.generate(ask("second"))
    async with OpenAIEngine(models, OpenAISettings(url=f"{url}/v1")) as engine:
        with pytest.raises(BadInput, match="no model 'first'"):
            await engine.generate(ask())
    assert [(sample.tokens, sample.finish) for sample in beyond.samples] == [([], "length")] * 2
    assert [sample.text for sample in reply.samples] == [free.text] * 2
    assert reply.samples[0].tokens == TOKENIZER.encode(free.text, add_special_tokens=False).ids
    expected = TOKENIZER.decode(free.tokens[:6], skip_special_tokens=False)
    assert (stopped.samples[0].text, stopped.samples[0].finish) == (expected, "stop")


def model_names(url: str) -> list[str]:
    return [card["id"] for card in httpx.get(f"{url}/v1/models").json()["data"]]


def running(url: str) -> float:
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    return sum(
        float(line.rpartition(" ")[2]) for line in lines if line.startswith("sglang:num_running")
    )


async def test_a_policy_server_is_not_taken_for_a_ppm(models: Path, url: str) -> None:
    with pytest.RaisesGroup(EngineFailed, allow_unwrapped=True, flatten_subgroups=True):
        async with AttachedServer(PPM, url, models):
            pass
