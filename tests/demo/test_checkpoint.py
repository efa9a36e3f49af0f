import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

import rstar_async.demo
from rstar_async.demo.problems import word_problems
from rstar_async.text import tags
from rstar_async.text.encoding import Encoder
from scripts.demo_checkpoint.examples import IGNORED, example

CHECKPOINT = Path(rstar_async.demo.__file__).parent / "checkpoint"
LARGEST = 5_000_000


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.load(CHECKPOINT, "tagged")


def test_checkpoint_is_small() -> None:
    assert sum(file.stat().st_size for file in CHECKPOINT.iterdir()) < LARGEST


@given(st.text())
def test_any_text_survives_the_tokenizer(text: str) -> None:
    tokenizer = Tokenizer.from_file(str(CHECKPOINT / "tokenizer.json"))
    ids = tokenizer.encode(text).ids
    assert tokenizer.decode(ids, skip_special_tokens=False) == text


def test_tags_are_single_tokens(encoder: Encoder) -> None:
    for tag in tags.SPECIAL_TOKENS:
        assert len(encoder.step(tag)) == 1


def test_steps_encoded_one_by_one_are_the_whole_solution(encoder: Encoder) -> None:
    for problem in word_problems(50, (1, 3, 6), 0, "train"):
        pieces = problem.solution.replace("<end_of_step>", "<end_of_step>|").split("|")
        apart = [token for piece in pieces for token in encoder.step(piece)]
        assert apart == encoder.step(problem.solution)


def test_the_loss_leaves_out_prompt_and_output(encoder: Encoder) -> None:
    problem = word_problems(1, (2,), 0, "demonstration")[0]
    made = example(problem, encoder)
    learnt = encoder.decode([label for label in made.labels if label != IGNORED])
    output = f"\n<output>{problem.answer}<end_of_output>"
    assert learnt == problem.solution.replace(output, "")
    assert encoder.decode(made.ids).endswith(problem.solution)


def test_transformers_loads_model_and_tokenizer(encoder: Encoder) -> None:
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    model = transformers.AutoModelForCausalLM.from_pretrained(CHECKPOINT, dtype=torch.float32)
    tokenizer = transformers.AutoTokenizer.from_pretrained(CHECKPOINT)
    assert type(model).__name__ == "LlamaForCausalLM"
    assert isinstance(tokenizer, transformers.PreTrainedTokenizerFast)
    assert tokenizer.pad_token_id == model.config.pad_token_id is not None
    assert tokenizer.eos_token_id == model.config.eos_token_id is not None
    assert tokenizer("Tom has 3 apples.")["input_ids"] == encoder.step("Tom has 3 apples.")
    assert tokenizer.vocab_size == model.config.vocab_size


def test_the_policy_knows_the_easy_levels(encoder: Encoder) -> None:
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    from scripts.demo_checkpoint.pass_rate import Sampler, pass_at_1

    model = transformers.LlamaForCausalLM.from_pretrained(CHECKPOINT, dtype=torch.float32)
    problems = word_problems(40, (1, 2), 1, "demonstration")
    rates = pass_at_1(Sampler(model, encoder, temperature=0.0), problems, samples=1)
    assert min(rates.values()) >= 0.7


def test_config_is_plain() -> None:
    config = json.loads((CHECKPOINT / "config.json").read_text())
    assert config["model_type"] == "llama"
    assert "chat_template" not in json.loads((CHECKPOINT / "tokenizer_config.json").read_text())
