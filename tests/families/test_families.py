"""Each family's stand-in through the life of a base: prepare, prompt, one step of both trainings,
publish, serve."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from rstar_async.config import BootstrapConfig, ModelConfig, PolicyConfig, PPMConfig, Recipe
from rstar_async.search.models import ActiveModels
from rstar_async.text.encoding import Encoder
from rstar_async.text.tags import SPECIAL_TOKENS
from rstar_async.trainer.base_proof import PROBE
from rstar_async.trainer.batches import forwards
from rstar_async.trainer.context import TrainingContext
from rstar_async.trainer.loop import serve
from rstar_async.trainer.scorer import load_ppm, scores
from rstar_async.wire.payloads import Generate, Sampling, Score
from storage.database import open_database
from storage.records import ModelVersion
from tests.families.stand_ins import FAMILIES, write
from tests.trainer.stored_trees import open_run, packed_trees, solved_trees, store_round
from tests.trainer.unpacked import unpacked_scores
from tests.workers.engines import oracle
from workers.engines.local.engine import LocalEngine
from workers.engines.local.scorer import LocalScorer

TRAINED = PolicyConfig(epochs=1, learning_rate=1e-3, batch_size=64, micro_batch=8)
PREFERRED = PPMConfig(
    epochs=1, learning_rate=1e-3, batch_trees=64, heldout_share=0.0, min_steps=0, trust="always"
)


@dataclass(frozen=True)
class Published:
    """A family's base as it was found, and the versions of a run of one round."""

    family: str
    source: Path
    context: TrainingContext
    base: ModelVersion
    policy: ModelVersion
    ppm: ModelVersion

    def encoder(self, model: ModelVersion) -> Encoder:
        return Encoder.load(self.context.folder(model), "tagged")


@pytest.fixture(scope="module", params=FAMILIES)
def published(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Published]:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp(request.param)
    source = write(request.param, folder / "source")
    recipe = Recipe(
        name="run",
        home=str(folder / "home"),
        model=ModelConfig(base=str(source)),
        bootstrap=BootstrapConfig(kind="checkpoint"),
        policy=TRAINED,
        ppm=PREFERRED,
    )
    recipe.home_folder.mkdir()
    with open_database(recipe.database_url) as database:
        open_run(database, "run")
        context = TrainingContext(recipe, "run", database)
        serve(context, once=True)
        (base,) = context.versions()
        trees = solved_trees(context.encoder(base), 4)
        store_round(database, "run", 1, trees, base.id)
        serve(context, once=True)
        _, policy, ppm = context.versions()
        yield Published(request.param, source, context, base, policy, ppm)


def test_the_ids_are_those_of_the_file_alone(published: Published) -> None:
    wanted = FAMILIES[published.family].tokenizer().encode(PROBE, add_special_tokens=False).ids
    for model in (published.base, published.policy, published.ppm):
        encoder = published.encoder(model)
        assert encoder.step(PROBE) == wanted
        assert [len(encoder.step(tag)) for tag in SPECIAL_TOKENS if tag in PROBE] == []
        assert encoder.decode(wanted) == PROBE


def test_prompts_begin_as_the_family_was_pretrained(published: Published) -> None:
    family = FAMILIES[published.family]
    bos = [] if family.bos is None else [family.tokenizer().token_to_id(family.bos)]
    for model in (published.base, published.policy, published.ppm):
        assert model.manifest["bos_ids"] == bos
        prompt = published.encoder(model).prompt("What is 3 + 4?")
        assert prompt[: len(bos)] == bos
        probes = model.manifest["probe"]["input_ids"]
        assert [probe[: len(bos)] for probe in probes] == [bos] * len(probes)
    active = ActiveModels.load(published.context.models, published.policy.id, published.ppm.id)
    assert list(active.encoder.bos_ids) == bos


def test_one_step_of_both_trainings_is_published(published: Published) -> None:
    for model in (published.policy, published.ppm):
        assert (model.status, model.reason) == ("published", "")
        assert model.metrics["steps"] == 1


async def test_the_local_engine_draws_what_transformers_does(published: Published) -> None:
    prompt = published.encoder(published.policy).prompt("What is 3 + 4?")
    folder = published.context.folder(published.policy)
    async with LocalEngine(published.context.models) as engine:
        sampling = Sampling(temperature=0, max_tokens=12)
        reply = await engine.generate(Generate(published.policy.id, prompt, 2, 0, sampling))
    oracle.generator(folder).set_attn_implementation("eager")
    wanted = oracle.greedy(folder, prompt, 12)
    ends = oracle.generator(folder).generation_config.eos_token_id
    if wanted[-1] in (ends if isinstance(ends, list) else [ends]):
        wanted = wanted[:-1]
    assert [sample.tokens for sample in reply.samples] == [wanted] * 2


async def test_the_local_ppm_scores_what_the_trainer_measured(published: Published) -> None:
    probe = published.ppm.manifest["probe"]
    requests = [Score(published.ppm.id, ids[:-4], [ids[-4:]]) for ids in probe["input_ids"]]
    async with LocalScorer(published.context.models) as scorer:
        values = [(await scorer.score(request)).values[0] for request in requests]
    assert values == pytest.approx(probe["values"], abs=1e-4)


def test_packed_trees_score_as_separate_sequences(published: Published) -> None:
    """Also where a family attends to a window only, which the trees here exceed."""
    folder = published.context.folder(published.ppm)
    stock = AutoModelForSequenceClassification.from_pretrained(folder, dtype="float32").eval()
    stock.set_attn_implementation("eager")
    trees = packed_trees(published.encoder(published.ppm), 2)
    model = load_ppm(folder).eval()
    with torch.no_grad():
        for part in forwards(trees, 4096):
            assert torch.allclose(scores(model, part), unpacked_scores(stock, part), atol=1e-5)
