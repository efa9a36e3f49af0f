"""What the programming demo's model begins with and is trained on."""

from random import Random

import pytest

from rstar_async.demo.programs.tasks import program_tasks
from rstar_async.demo.programs.tokenizer import CODE_PIECES
from rstar_async.demo.tokenizer import NUMBERS, trained_tokenizer
from rstar_async.models.sources import DEMO_CHECKPOINT
from rstar_async.text.encoding import Encoder
from scripts.demo_checkpoint.copying_examples import whole_words
from scripts.demo_checkpoint.examples import IGNORED
from scripts.program_checkpoint.examples import copying_examples, solution_example
from scripts.program_checkpoint.pass_rate import passes


@pytest.fixture(scope="module")
def tokenizer():
    tasks = program_tasks(150, (1, 2), 0, "demonstration")
    texts = [f"{task.question}\n{task.solution}\n" for task in tasks]
    return trained_tokenizer([*texts, *NUMBERS], CODE_PIECES)


@pytest.fixture(scope="module")
def encoder(tokenizer):
    return Encoder(tokenizer, "tagged")


def test_a_call_of_a_step_is_one_token(tokenizer):
    assert tokenizer.encode("def f2(v): return sorted(f1(v))").tokens.count("f1(v)") == 1
    assert len(tokenizer.encode("f2(example)").ids) == 1


def test_any_program_survives_the_tokenizer(tokenizer):
    text = "def f12(v):\n\treturn {x: f1(vv) for x  in v}  # ü\n"
    assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text


def test_steps_encoded_one_by_one_are_the_whole_solution(encoder):
    for task in program_tasks(30, (1, 3, 6), 0, "train"):
        pieces = task.solution.replace("<end_of_step>", "<end_of_step>|").split("|")
        apart = [token for piece in pieces for token in encoder.step(piece)]
        assert apart == encoder.step(task.solution)


def test_the_loss_is_over_the_solution(encoder):
    task = program_tasks(1, (2,), 0, "demonstration")[0]
    made = solution_example(task, encoder)
    assert encoder.decode([label for label in made.labels if label != IGNORED]) == task.solution


def test_copying_examples_repeat_what_the_prompt_says(tokenizer, encoder):
    for made in copying_examples(20, whole_words(tokenizer), encoder, Random(0)):
        prompt = encoder.decode([i for i, x in zip(made.ids, made.labels, strict=True) if x < 0])
        learnt = encoder.decode([x for x in made.labels if x != IGNORED])
        lines = [line for line in learnt.splitlines() if line.startswith(("# ", "example"))]
        assert len(lines) >= 3
        assert all(line.removeprefix("# ").removeprefix("example = ") in prompt for line in lines)


def test_a_warm_start_keeps_layers_and_the_tokens_that_are_known(tokenizer):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from scripts.program_checkpoint.warm_start import warm_started

    model = warm_started(tokenizer, DEMO_CHECKPOINT, 0)
    trained = transformers.LlamaForCausalLM.from_pretrained(DEMO_CHECKPOINT, dtype=torch.float32)
    known = Encoder.load(DEMO_CHECKPOINT, "tagged").step(" 12")
    row = model.model.embed_tokens.weight[tokenizer.encode(" 12").ids]
    assert torch.equal(row, trained.model.embed_tokens.weight[known])
    layer, same = model.model.layers[0], trained.model.layers[0]
    assert torch.equal(layer.mlp.up_proj.weight, same.mlp.up_proj.weight)
    assert model.config.vocab_size == tokenizer.get_vocab_size()


def test_gold_solutions_pass_and_others_do_not():
    task = program_tasks(1, (3,), 0, "train")[0]
    assert passes(task, task.solution)
    assert not passes(task, task.solution.removesuffix("<end_of_code>"))
    assert not passes(task, task.solution.replace("return f", "return repr, f"))
