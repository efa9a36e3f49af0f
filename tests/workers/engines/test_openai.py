"""The OpenAI engine against a real server that behaves as odd servers do."""

import json
import shutil
from pathlib import Path

import pytest

from rstar_async import demo
from rstar_async.engines.errors import BadRequest, Interrupted, Unreachable
from rstar_async.errors import BadInput
from rstar_async.text.encoding import Encoder
from rstar_async.wire.payloads import Generate, Generated, Sampling
from tests.workers.engines.odd_server import (
    MODEL,
    STOP,
    TEXT,
    Answer,
    Behaviour,
    choice,
    choices,
    odd_server,
)
from workers.engines.openai import OpenAIEngine, OpenAISettings
from workers.engines.openai_client import OpenAIClient, Patience

CHECKPOINT = Path(demo.__file__).parent / "checkpoint"
SAMPLING = Sampling(max_tokens=64, stop_texts=(STOP, "<end_of_code>"))
PROMPT = [9, 36, 209]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's checkpoint as the version `policy`."""
    folder = tmp_path_factory.mktemp("models")
    (folder / MODEL).symlink_to(CHECKPOINT)
    return folder


def asking(n: int = 3) -> Generate:
    return Generate(MODEL, PROMPT, n, 7, SAMPLING)


async def generate(
    models: Path, url: str, request: Generate | None = None, **settings: str
) -> Generated:
    async with OpenAIEngine(models, OpenAISettings(url=url, **settings)) as engine:
        return await engine.generate(request or asking())


async def generated(models: Path, behaviour: Behaviour) -> Generated:
    with odd_server(behaviour) as server:
        return await generate(models, server.url)


async def failure(models: Path, behaviour: Behaviour) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011  its kind is what the tests ask
        await generated(models, behaviour)
    return caught.value


def always(answer: Answer) -> Behaviour:
    return lambda _, number: answer


# -- as many samples as were asked for


@pytest.mark.parametrize("given", [1, 2])
async def test_missing_choices_are_asked_for_again(models: Path, given: int) -> None:
    """As of a server that ignores `n`; each by itself, with a seed of its own."""
    with odd_server(lambda body, _: choices(min(given, body["n"]))) as server:
        reply = await generate(models, server.url, asking(5))
    assert [sample.text for sample in reply.samples] == [TEXT + STOP] * 5
    assert [body["n"] for body in server.requests] == [5] + [1] * (5 - given)
    assert len({body["seed"] for body in server.requests}) == len(server.requests)


async def test_a_server_that_gives_too_few_choices_for_ever_is_interrupted(models: Path) -> None:
    with (
        odd_server(lambda _, number: choices(1 if number < 2 else 0)) as server,
        pytest.raises(Interrupted, match="0 choices"),
    ):
        await generate(models, server.url, asking(8))
    assert len(server.requests) <= 16


async def test_a_server_that_gives_one_sample_at_a_time_is_asked_for_one(models: Path) -> None:
    def only_one(body: dict, _: int) -> Answer:
        refusal = Answer(400, {"error": "Only one completion choice is allowed"})
        return choices(1) if body["n"] == 1 else refusal

    assert len((await generated(models, only_one)).samples) == 3


async def test_a_server_that_names_no_stop_is_told_of_once(
    models: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with odd_server(always(choices(30, stop_reason=None))) as server:
        async with OpenAIEngine(models, OpenAISettings(url=server.url)) as engine:
            for _ in range(4):
                await engine.generate(asking(30))
    told = [record for record in caplog.records if "at which stop" in record.message]
    assert len(told) == 1


async def test_more_choices_than_asked_for_are_cut(models: Path) -> None:
    reply = await generated(models, lambda body, _: choices(body["n"] + 2))
    assert len(reply.samples) == 3


async def test_a_choice_without_a_text_is_asked_for_again(models: Path) -> None:
    def some_null(body: dict, number: int) -> Answer:
        texts = [choice(), choice(text=None), choice(finish_reason="abort")]
        return Answer(content={"choices": texts if number == 0 else texts[:1]})

    reply = await generated(models, some_null)
    assert [sample.text for sample in reply.samples] == [TEXT + STOP] * 3


# -- answers that another try may better


INTERRUPTED = {
    "no choice": choices(0),
    "null texts": choices(3, text=None),
    "aborted": choices(3, finish_reason="abort"),
    "an error with status 200": Answer(content={"error": {"message": "overloaded"}}),
    "a gateway's page": Answer(content=b"<html>Bad gateway</html>"),
    "invalid JSON": Answer(content=b'{"choices": [{"text": '),
    "JSON of another shape": Answer(content=["choices"]),
    "a reset connection": Answer(cut=0),
    "a body cut short": Answer(content={"choices": [choice()] * 3}, cut=30),
    "too many requests": Answer(429, {"error": "slow down"}),
    "overloaded": Answer(503, b"busy"),
    "a gateway's timeout": Answer(504, b"<html></html>"),
}


@pytest.mark.parametrize("answer", INTERRUPTED.values(), ids=INTERRUPTED)
async def test_what_another_try_may_better_is_interrupted(models: Path, answer: Answer) -> None:
    failed = await failure(models, always(answer))
    assert type(failed) is Interrupted
    assert "\n" not in str(failed)


async def test_the_engine_goes_on_after_a_reset_connection(models: Path) -> None:
    answers = [Answer(cut=0), choices(3)]
    with odd_server(lambda _, number: answers[number]) as server:
        async with OpenAIEngine(models, OpenAISettings(url=server.url)) as engine:
            with pytest.raises(Interrupted):
                await engine.generate(asking())
            assert len((await engine.generate(asking())).samples) == 3


@pytest.mark.parametrize("status", [429, 503])
async def test_a_server_is_given_the_time_that_it_asks_for(models: Path, status: int) -> None:
    answers = [Answer(status, b"", {"Retry-After": "0.05"})] * 2 + [choices(3)]
    with odd_server(lambda _, number: answers[number]) as server:
        reply = await generate(models, server.url)
    assert len(reply.samples) == 3
    assert len(server.requests) == 3


async def test_half_a_character_does_not_fail_the_job(models: Path) -> None:
    text = b'{"choices": [{"text": "x \\ud83d", "finish_reason": "length"}]}'
    reply = await generated(models, always(Answer(content=text)))
    assert [sample.text for sample in reply.samples] == ["x �"] * 3


async def test_an_address_without_a_server_ends_the_worker_with_a_reason() -> None:
    async with OpenAIClient("http://localhost:1/v1", "KEY", Patience(0.1, 60)) as client:
        with pytest.raises(Unreachable, match="localhost:1"):
            await client.models()


async def test_the_worker_outlives_a_server_that_goes_away() -> None:
    with odd_server(always(choices(3))) as server:
        client = OpenAIClient(server.url, "KEY", Patience(60, 0.1))
        await client.complete({"n": 3})
    async with client:
        with pytest.raises(Interrupted, match="completions"):
            await client.complete({"n": 3})


# -- prompts that are too long

TOO_LONG = {
    "vLLM": (400, "This model's maximum context length is 1024 tokens. However, you requested"),
    "in short": (400, "prompt is too long"),
    "Anthropic": (400, "prompt is too long: 208310 tokens > 200000 maximum"),
    "TGI": (422, "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 `inputs` tokens"),
    "TensorRT": (400, "The sum of prompt length (900) and max_tokens (256) should not exceed 1024"),
    "Gemini": (400, "The input token count (1100) exceeds the maximum number of tokens allowed"),
    "by size": (413, "<html>Request Entity Too Large</html>"),
    "llama.cpp": (400, "the request exceeds the available context size"),
    "with status 200": (200, {"error": "maximum context length is 1024"}),
}


@pytest.mark.parametrize(("status", "said"), TOO_LONG.values(), ids=TOO_LONG)
async def test_a_prompt_that_the_server_finds_too_long_is_no_failure(
    models: Path, status: int, said: object
) -> None:
    content = said if isinstance(said, dict) else {"error": {"message": said}}
    reply = await generated(models, always(Answer(status, content)))
    assert [(s.tokens, s.finish) for s in reply.samples] == [([], "length")] * 3


async def test_no_more_tokens_are_asked_for_than_the_server_has_room_for(models: Path) -> None:
    listed = Answer(content={"data": [{"id": MODEL, "max_model_len": 13}]})
    with odd_server(always(choices(3)), listed) as server:
        await generate(models, server.url)
        full = Generate(MODEL, PROMPT * 5, 2, 0, SAMPLING)
        reply = await generate(models, server.url, full)
    assert [body["max_tokens"] for body in server.requests] == [10]
    assert [(s.tokens, s.finish) for s in reply.samples] == [([], "length")] * 2


REFUSED = {
    "of the wrong kind": (422, "prompt must be a string"),
    "max_tokens": (400, "max_tokens is too large: 5000. This model supports at most 4096"),
    "stops": (400, "'stop': expected an array with maximum length 4, but got length 5"),
    "temperature": (400, "temperature must be between 0 and 1"),
}


@pytest.mark.parametrize(("status", "said"), REFUSED.values(), ids=REFUSED)
async def test_another_refusal_fails_the_job_with_its_reason(
    models: Path, status: int, said: str
) -> None:
    """It must not pass for a prompt that is too long: the tree would end in silence."""
    failed = await failure(models, always(Answer(status, {"error": said})))
    assert type(failed) is BadRequest
    assert said in str(failed)


# -- what no request can be answered with

BAD_INPUT = {
    "no key": (Answer(401, {"error": "no key"}), "wants a key; give it in the environment"),
    "forbidden": (Answer(403, b"forbidden"), "OPENAI_API_KEY"),
    "no model": (Answer(404, {"error": "model policy not found"}), "the name of the model"),
    "no model, with 400": (Answer(400, {"error": "The model `x` does not exist"}), "the model"),
    "another address": (Answer(307, b"", {"Location": "https://b/v1"}), "https://b/v1"),
}


@pytest.mark.parametrize(("answer", "advice"), BAD_INPUT.values(), ids=BAD_INPUT)
async def test_what_the_user_must_mend_is_bad_input(
    models: Path, monkeypatch: pytest.MonkeyPatch, answer: Answer, advice: str
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    failed = await failure(models, always(answer))
    assert type(failed) is BadInput
    assert advice in str(failed)
    assert "\n" not in str(failed)


async def test_a_wrong_key_is_named_by_its_variable_and_not_shown(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a-secret")
    failed = await failure(models, always(Answer(401, {"error": "wrong"})))
    assert "refuses the key in the environment variable OPENAI_API_KEY" in str(failed)
    assert "a-secret" not in str(failed)


async def test_a_model_that_is_not_listed_is_bad_input(models: Path) -> None:
    listed = Answer(content={"data": [{"id": "other"}]})
    with (
        odd_server(always(choices(3)), listed) as server,
        pytest.raises(BadInput, match="no model 'policy'; it has other"),
    ):
        await generate(models, server.url)


async def test_a_server_without_a_list_of_models_is_asked_all_the_same(models: Path) -> None:
    with odd_server(always(choices(3)), Answer(404)) as server:
        assert len((await generate(models, server.url)).samples) == 3


# -- stops


STOPS: dict[str, tuple[dict, str, str]] = {
    "named": ({}, TEXT + STOP, "stop"),
    "named as SGLang does": ({"stop_reason": None, "matched_stop": STOP}, TEXT + STOP, "stop"),
    "in the text too": ({"text": TEXT + STOP}, TEXT + STOP, "stop"),
    "in the text only": ({"text": TEXT + STOP, "stop_reason": None}, TEXT + STOP, "stop"),
    "one of a list": ({"stop_reason": [STOP]}, TEXT + STOP, "stop"),
    "not ours": ({"stop_reason": "</s>"}, TEXT, "eos"),
    "not named": ({"stop_reason": None}, TEXT, "eos"),
    "the length": ({"finish_reason": "length", "stop_reason": None}, TEXT, "length"),
}


@pytest.mark.parametrize(("changes", "text", "finish"), STOPS.values(), ids=STOPS)
async def test_a_step_ends_with_its_stop(
    models: Path, changes: dict, text: str, finish: str
) -> None:
    reply = await generated(models, always(choices(3, **changes)))
    assert [(sample.text, sample.finish) for sample in reply.samples] == [(text, finish)] * 3


# -- what a prompt begins with


@pytest.mark.parametrize("prompts", ["ids", "text"])
async def test_a_server_that_puts_bos_before_a_text_is_not_sent_it_twice(
    tmp_path: Path, prompts: str
) -> None:
    folder = shutil.copytree(CHECKPOINT, tmp_path / MODEL)
    (folder / "manifest.json").write_text(json.dumps({"prompt_style": "tagged", "bos_ids": [1]}))
    encoder = Encoder.load(folder, "tagged")
    prompt = encoder.prompt("What is 3 + 4?")
    with odd_server(always(choices(1))) as server:
        await generate(
            tmp_path, server.url, Generate(MODEL, prompt, 1, 0, SAMPLING), prompts=prompts
        )
    assert prompt[0] == 1
    sent = server.requests[0]["prompt"]
    assert sent == (prompt if prompts == "ids" else encoder.decode(prompt[1:]))
