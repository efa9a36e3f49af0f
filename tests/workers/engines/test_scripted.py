"""The script gives the same everywhere and every time, and every kind of result."""

from collections import Counter
from pathlib import Path

import pytest

from rstar_async.demo.tokenizer import tiny_tokenizer
from rstar_async.engines.errors import BadRequest, ModelUnavailable
from rstar_async.text.encoding import Encoder
from rstar_async.text.steps import StepKind, parse_step
from rstar_async.wire.payloads import Generate, Sampling, Score
from workers.engines.scripted import ScriptedEngine, ScriptedScorer

QUESTION = "What is 3 + 40 + 5?"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    (folder / "policy").mkdir()
    tiny_tokenizer().save(str(folder / "policy" / "tokenizer.json"))
    return folder


@pytest.fixture(scope="module")
def encoder(models: Path) -> Encoder:
    return Encoder.load(models / "policy", "tagged")


def ask(prompt: list[int], n: int = 4, seed: int = 1, max_tokens: int = 64) -> Generate:
    return Generate("policy", prompt, n, seed, Sampling(max_tokens=max_tokens))


async def texts(models: Path, request: Generate) -> list[str]:
    async with ScriptedEngine(models) as engine:
        return [sample.text for sample in (await engine.generate(request)).samples]


async def test_equal_requests_get_equal_replies_from_any_engine(models, encoder):
    request = ask(encoder.prompt(QUESTION), n=20)
    first = await texts(models, request)
    assert first == await texts(models, request)
    assert first[:4] == await texts(models, ask(encoder.prompt(QUESTION), n=4))
    assert first != await texts(models, ask(encoder.prompt(QUESTION), n=20, seed=2))


async def test_steps_are_right_wrong_or_malformed(models, encoder):
    found = await texts(models, ask(encoder.prompt(QUESTION), n=200))
    kinds = Counter(parse_step(text, after_output=False).kind for text in found)
    assert set(kinds) == {StepKind.STEP, StepKind.UNFINISHED, StepKind.MALFORMED}
    assert any("total = 0 + 3\n" in text for text in found)
    assert any("unknown" in text for text in found)


async def test_a_sum_is_added_up_printed_and_answered(models, encoder):
    prompt = encoder.prompt(QUESTION)
    for number in (3, 40, 5):
        wanted = f"{number}\n<end_of_step>"
        (step, *_) = [t for t in await texts(models, ask(prompt, n=50)) if t.endswith(wanted)]
        prompt += encoder.step(step)
    (last,) = set(await texts(models, ask(prompt)))
    assert parse_step(last, after_output=False).kind is StepKind.END_OF_CODE
    prompt += [*encoder.step(last), *encoder.observation("48")]
    (answer,) = set(await texts(models, ask(prompt)))
    assert parse_step(answer, after_output=True).kind is StepKind.ANSWER
    assert "\\boxed{48}" in answer


async def test_a_function_that_is_asked_for_by_name_is_written_in_two_steps(models, encoder):
    prompt = encoder.prompt("Write a function that adds.\nThe function is `add`.")
    helpers = await texts(models, ask(prompt, n=200))
    kinds = Counter(parse_step(text, after_output=False).kind for text in helpers)
    assert set(kinds) == {StepKind.STEP, StepKind.UNFINISHED}
    assert any("numbers[:2]" in text for text in helpers)
    assert any("unknown" in text for text in helpers)
    (step, *_) = [text for text in helpers if "sum(numbers)" in text]
    (last,) = set(await texts(models, ask([*prompt, *encoder.step(step)])))
    assert parse_step(last, after_output=False).kind is StepKind.END_OF_CODE
    assert "def add(*numbers):\n    return total_of(numbers)" in last


async def test_tokens_are_those_of_the_text_and_no_more_than_allowed(models, encoder):
    async with ScriptedEngine(models) as engine:
        reply = await engine.generate(ask(encoder.prompt(QUESTION), n=20, max_tokens=6))
        assert engine.statistics().new_tokens == sum(len(s.tokens) for s in reply.samples)
    for sample in reply.samples:
        assert sample.text == encoder.decode(sample.tokens)
        assert (len(sample.tokens), sample.finish) == (6, "length")


async def test_a_request_that_cannot_be_answered_is_refused_by_name(models, encoder):
    async with ScriptedEngine(models) as engine:
        with pytest.raises(ModelUnavailable, match=r"no tokenizer\.json"):
            await engine.generate(Generate("other", [1], 1, 1, Sampling()))
        with pytest.raises(BadRequest, match="tagged style"):
            await engine.generate(ask(encoder.step("Question: 3 + 4?")))


async def test_scores_depend_on_the_step_and_its_prefix_alone(models):
    async with ScriptedScorer(models) as scorer:
        first, second = (await scorer.score(Score("policy", [1, 2], [[3], [4]]))).values
        assert (await scorer.score(Score("policy", [1, 2], [[4]]))).values == [second]
        assert (await scorer.score(Score("policy", [1], [[3]]))).values != [first]
    assert first != second
