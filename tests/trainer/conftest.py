"""A tiny model for all trainer tests: 2 layers, a byte-level tokenizer that knows no tags."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from rstar_async.config import BootstrapConfig, ModelConfig, PolicyConfig, PPMConfig, Recipe
from rstar_async.demo.problems import word_problems
from rstar_async.text.encoding import Encoder
from rstar_async.trainer.base import prepare_base
from rstar_async.trainer.context import TrainingContext
from storage.database import Database, open_database
from tests.trainer.stored_trees import open_run

CONTEXT = 512


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A causal language model whose tokenizer does not know the tags."""
    return plain_model(tmp_path_factory.mktemp("plain"), seed=0)


def plain_model(folder: Path, seed: int, width: int = 32) -> Path:
    tokenizer = plain_tokenizer()
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def plain_tokenizer() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=["<eos>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    texts = [p.question + p.solution for p in word_problems(50, (1, 2), 0, "demonstration")]
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>")


@pytest.fixture(scope="session")
def base(plain: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model after `prepare_base`."""
    folder = tmp_path_factory.mktemp("base")
    prepare_base(str(plain), folder)
    return folder


@pytest.fixture(scope="session")
def encoder(base: Path) -> Encoder:
    return Encoder.load(base, "tagged")


@pytest.fixture
def recipe(plain: Path, tmp_path: Path) -> Recipe:
    return Recipe(
        name="run",
        home=str(tmp_path / "home"),
        model=ModelConfig(base=str(plain)),
        bootstrap=BootstrapConfig(kind="checkpoint", demonstrations=8, levels=(1,), epochs=1),
        policy=PolicyConfig(
            epochs=1, learning_rate=1e-3, batch_size=8, micro_batch=8, skip_heldout="off"
        ),
        ppm=PPMConfig(epochs=1, learning_rate=1e-3, batch_trees=8, heldout_share=0.5, min_steps=0),
    )


@pytest.fixture
def database(recipe: Recipe) -> Iterator[Database]:
    recipe.home_folder.mkdir(parents=True)
    with open_database(recipe.database_url) as opened:
        open_run(opened, recipe.name)
        yield opened


@pytest.fixture
def context(recipe: Recipe, database: Database) -> TrainingContext:
    return TrainingContext(recipe, recipe.name, database)
