import pytest

from rstar_async.demo.programs.tasks import program_tasks
from rstar_async.demo.programs.tokenizer import program_tokenizer
from rstar_async.models.sources import DEMO_CHECKPOINTS
from rstar_async.text import tags
from rstar_async.text.encoding import Encoder

CHECKPOINT = DEMO_CHECKPOINTS["demo-programs"]
LARGEST = 5_000_000


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.load(CHECKPOINT, "tagged")


def test_checkpoint_is_small():
    assert sum(file.stat().st_size for file in CHECKPOINT.iterdir()) < LARGEST


def test_tags_are_single_tokens(encoder):
    for tag in tags.SPECIAL_TOKENS:
        assert len(encoder.step(tag)) == 1


@pytest.mark.slow
def test_the_tokenizer_is_the_one_that_the_repository_makes(encoder):
    text = program_tasks(1, (6,), 0, "train")[0].solution
    assert encoder.step(text) == Encoder(program_tokenizer(), "tagged").step(text)


def test_the_policy_writes_functions_of_one_operation(encoder):
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    from scripts.demo_checkpoint.pass_rate import Sampler
    from scripts.program_checkpoint.pass_rate import pass_at_1

    model = transformers.LlamaForCausalLM.from_pretrained(CHECKPOINT, dtype=torch.float32)
    tasks = program_tasks(20, (1,), 1, "demonstration")
    rates = pass_at_1(Sampler(model, encoder, temperature=0.0), tasks, samples=1)
    assert rates[1] >= 0.7
