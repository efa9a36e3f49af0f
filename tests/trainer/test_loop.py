import json
import os
import shutil
import signal
import subprocess
import sys
import time

import msgspec
import pytest
from msgspec import structs
from tokenizers import processors
from transformers import CohereConfig, CohereForCausalLM

from rstar_async.config import BootstrapConfig, ModelConfig
from rstar_async.errors import BadInput
from rstar_async.text.encoding import Encoder
from rstar_async.text.tokenizer_file import open_tokenizer
from rstar_async.trainer.base import prepare_base
from rstar_async.trainer.build_dataset import is_heldout
from rstar_async.trainer.context import TrainingContext
from rstar_async.trainer.loop import serve
from storage import queries
from storage.records import ModelVersion, RoundProgress
from tests.trainer.conftest import plain_model
from tests.trainer.stored_trees import SolvedTree, solved_trees, store_round


def with_bootstrap(context, **changes):
    bootstrap = structs.replace(context.recipe.bootstrap, **changes)
    return TrainingContext(
        structs.replace(context.recipe, bootstrap=bootstrap), context.run, context.database
    )


def with_settings(context, section, **changes):
    settings = structs.replace(getattr(context.recipe, section), **changes)
    recipe = structs.replace(context.recipe, **{section: settings})
    return TrainingContext(recipe, context.run, context.database)


def status(context, number):
    return context.database.read(queries.round_by_number, context.run, number).status


def unsolved(solved: SolvedTree) -> SolvedTree:
    """The same tree with all right answers marked wrong."""
    for node in solved.tree.nodes.values():
        if node.candidate.is_correct:
            object.__setattr__(node.candidate, "is_correct", False)
    return solved


@pytest.mark.parametrize("kind", ["few_shot", "checkpoint"])
def test_the_base_is_the_first_policy(context, kind):
    context = with_bootstrap(context, kind=kind)
    serve(context, once=True)
    (base,) = context.versions()
    assert base.parent_id is None
    assert base.manifest["prompt_style"] == ("few_shot" if kind == "few_shot" else "tagged")
    assert status(context, 0) == "trained"


def test_a_base_from_which_no_ppm_can_be_trained_is_refused_before_anything_is_searched(
    context, plain, tmp_path
):
    base = shutil.copytree(plain, tmp_path / "cohere")
    shape = {"vocab_size": 700, "hidden_size": 32, "intermediate_size": 64, "pad_token_id": 0}
    heads = {"num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2}
    CohereForCausalLM(CohereConfig(**shape, **heads)).save_pretrained(base)
    recipe = structs.replace(context.recipe, model=ModelConfig(base=str(base)))
    changed = TrainingContext(recipe, context.run, context.database)
    with pytest.raises(BadInput, match=r"give --ppm\.train false"):
        serve(changed, once=True)
    assert changed.versions() == []
    serve(with_settings(changed, "ppm", train=False), once=True)
    assert len(changed.versions()) == 1


def test_a_stronger_model_searches_round_1_and_the_base_is_trained(context, encoder, tmp_path):
    stronger = plain_model(tmp_path / "stronger", seed=9)
    context = with_bootstrap(context, kind="few_shot", model=str(stronger))
    serve(context, once=True)
    base, prompted = context.versions()
    assert context.base() == base
    assert context.newest_policy(0) == prompted
    assert prompted.manifest["prompt_style"] == "few_shot"

    store_round(context.database, "run", 1, solved_trees(encoder, 12), prompted.id)
    serve(context, once=True)
    trained = context.newest_policy(1)
    assert trained.round == 1
    assert trained.parent_id == base.id


def test_demonstrations_make_a_policy_whose_parent_is_the_base(context):
    context = with_bootstrap(context, kind="demonstrations")
    serve(context, once=True)
    base, policy = context.versions()
    assert policy.parent_id == base.id
    assert policy.metrics["rows"] == 8
    assert context.database.read(queries.latest_published, "run", "policy") == policy
    assert context.base() == base


def test_a_searched_round_becomes_a_policy_and_a_ppm(context, encoder):
    serve(context, once=True)
    base = context.base()
    store_round(context.database, "run", 1, solved_trees(encoder, 12), base.id)
    serve(context, once=True)
    _, policy, ppm = context.versions()
    assert (policy.parent_id, ppm.parent_id) == (base.id, policy.id)
    assert policy.metrics["trajectories"] == policy.metrics["problems_solved"] == 12
    assert (ppm.manifest["squash"], ppm.manifest["scale"]) == ("tanh", 5.0)
    pairs = context.database.read(queries.pairs_of, "run", 1)
    assert len(pairs) == ppm.metrics["pairs"] + ppm.metrics["pairs_heldout"]
    assert {pair.split for pair in pairs} == {"train", "heldout"}
    assert_split_by_problem(context, pairs)
    assert Encoder.load(context.folder(policy), "tagged").prompt("?") == encoder.prompt("?")
    lines = (context.recipe.home_folder / "training" / "progress.jsonl").read_text().splitlines()
    assert {json.loads(line)["phase"] for line in lines} == {"policy", "ppm"}
    assert (context.folder(ppm) / "metrics.jsonl").read_text().count("\n") == ppm.metrics[
        "steps"
    ] + 1


def assert_split_by_problem(context, pairs):
    splits = {}
    for pair in pairs:
        splits.setdefault(pair.search_id, set()).add(pair.split)
    assert all(len(split) == 1 for split in splits.values())


def published_without_bos(context, base):
    """A base as it was published before manifests said what prompts begin with."""
    manifest = {"id": "policy-r000-old", "kind": "policy", "round": 0, "prompt_style": "tagged"}
    folder = shutil.copytree(base, context.models / manifest["id"])
    (folder / "manifest.json").write_text(json.dumps(manifest))
    row = ModelVersion(
        manifest["id"], "run", "policy", 0, None, str(folder), "published", manifest=manifest
    )
    context.database.commit(row, RoundProgress("run", 0, "trained"))
    return row


@pytest.mark.parametrize("is_old", [True, False])
def test_models_keep_the_beginning_of_the_prompts_of_their_base(context, plain, tmp_path, is_old):
    source = shutil.copytree(plain, tmp_path / "begun")
    alone = open_tokenizer(source)
    eos = alone.token_to_id("<eos>")
    alone.post_processor = processors.TemplateProcessing(
        "<eos> $A", special_tokens=[("<eos>", eos)]
    )
    alone.save(str(source / "tokenizer.json"))
    if is_old:
        (tmp_path / "base").mkdir()
        prepare_base(str(source), tmp_path / "base")
        base = published_without_bos(context, tmp_path / "base")
    else:
        recipe = structs.replace(context.recipe, model=ModelConfig(base=str(source)))
        context = TrainingContext(recipe, context.run, context.database)
        serve(context, once=True)
        base = context.base()
    encoder, begin = Encoder.load(context.folder(base), "tagged"), [] if is_old else [eos]
    store_round(context.database, "run", 1, solved_trees(encoder, 4), base.id)
    serve(context, once=True)
    _, policy, ppm = context.versions()
    for model in (policy, ppm):
        assert model.manifest["bos_ids"] == begin
        assert all((ids[0] == eos) is not is_old for ids in model.manifest["probe"]["input_ids"])
        assert context.encoder(model).prompt("?") == encoder.prompt("?")
    assert list(encoder.bos_ids) == begin


def test_without_a_solved_problem_the_old_policy_stays_in_use(context, encoder):
    serve(context, once=True)
    trees = [unsolved(one) for one in solved_trees(encoder, 3)]
    store_round(context.database, "run", 1, trees, context.base().id)
    serve(context, once=True)
    base, policy, ppm = context.versions()
    assert (policy.status, ppm.status) == ("refused", "refused")
    assert policy.reason == "none of 3 problems was solved; the old policy stays in use"
    assert ppm.reason == "no preference pairs in 3 problems"
    assert context.newest_policy(1) == base
    assert status(context, 1) == "trained"


def test_the_ppm_can_be_switched_off(context, encoder):
    context = with_settings(context, "ppm", train=False)
    serve(context, once=True)
    store_round(context.database, "run", 1, solved_trees(encoder, 3), context.base().id)
    serve(context, once=True)
    assert [v.reason for v in context.versions() if v.kind == "ppm"] == ["ppm.train is off"]
    assert context.database.read(queries.pairs_of, "run", 1) == []


def test_no_ppm_is_trained_before_its_first_round(context, encoder):
    context = with_settings(context, "ppm", first_round=2, history="all")
    serve(context, once=True)
    for number in (1, 2):
        trees = solved_trees(encoder, 4, seed=number)
        store_round(context.database, "run", number, trees, context.base().id)
        serve(context, once=True)
    first, second = (version for version in context.versions() if version.kind == "ppm")
    assert (first.status, first.reason) == ("refused", "ppm.first_round is 2")
    assert second.status == "published"
    assert second.metrics["pairs"] + second.metrics["pairs_heldout"] > second.metrics["pairs_step"]


@pytest.mark.parametrize(
    ("start", "parents"),
    [
        ("base", ("policy-r000", "policy-r000")),
        ("previous", ("policy-r000", "policy-r001")),
    ],
)
def test_a_policy_starts_from_the_model_that_its_setting_names(context, encoder, start, parents):
    context = with_settings(context, "policy", start=start, epochs=1.0)
    context = with_settings(context, "ppm", train=False)
    serve(context, once=True)
    for number in (1, 2):
        trees = solved_trees(encoder, 3, seed=number)
        store_round(context.database, "run", number, trees, context.base().id)
        serve(context, once=True)
    trained = [v for v in context.versions() if v.kind == "policy" and v.round]
    assert tuple(v.parent_id.rpartition("-")[0] for v in trained) == parents


def test_as_a_control_demonstrations_are_repeated_until_there_are_as_many_rows(
    context, encoder, tmp_path
):
    file = tmp_path / "examples.jsonl"
    file.write_text('{"question": "He has 3 bags of 8?", "equation": "3 * 8", "answer": 24}\n' * 2)
    context = with_bootstrap(context, kind="demonstrations", source=str(file))
    context = with_settings(context, "policy", learn_from="demonstrations", replay=5)
    serve(context, once=True)
    store_round(context.database, "run", 1, solved_trees(encoder, 3), context.base().id)
    serve(context, once=True)
    (policy,) = (v for v in context.versions() if v.kind == "policy" and v.round == 1)
    assert policy.metrics["rows"] == 5


def test_trajectories_that_are_too_long_are_counted(context, encoder):
    context = with_settings(context, "policy", max_length=10)
    serve(context, once=True)
    store_round(context.database, "run", 1, solved_trees(encoder, 3), context.base().id)
    serve(context, once=True)
    _, policy, ppm = context.versions()
    assert policy.reason.startswith("all 3 trajectories are too long")
    assert policy.metrics["too_long"] == 3
    assert ppm.parent_id == context.base().id


@pytest.mark.parametrize(
    ("setting", "start", "trust", "skipped"),
    [
        ("on", "bootstrap", "always", True),
        ("off", "policy", "measured", False),
        ("auto", "policy", "measured", True),
        ("auto", "bootstrap", "measured", False),
        ("auto", "policy", "always", False),  # the paper
    ],
)
def test_a_policy_learns_from_the_problems_that_measure_the_ppm_only_if_it_may(
    context, encoder, setting, start, trust, skipped
):
    context = with_settings(context, "policy", skip_heldout=setting, trajectories_per_problem=1)
    context = with_settings(context, "ppm", start=start, trust=trust)
    serve(context, once=True)
    store_round(context.database, "run", 1, solved_trees(encoder, 8), context.base().id)
    serve(context, once=True)
    share = context.recipe.ppm.heldout_share
    problems = context.database.read(queries.problems_of, "run", "train")
    heldout = sum(is_heldout(problem.id, share) for problem in problems)
    assert 0 < heldout < 8
    (policy,) = (v for v in context.versions() if v.kind == "policy" and v.round == 1)
    assert policy.metrics["rows"] == 8 - skipped * heldout
    assert policy.metrics["problems_solved"] == 8


def test_a_policy_that_may_learn_from_no_solved_problem_says_so(context, encoder):
    context = with_settings(context, "policy", skip_heldout="on")
    context = with_settings(context, "ppm", heldout_share=0.999)
    serve(context, once=True)
    store_round(context.database, "run", 1, solved_trees(encoder, 3), context.base().id)
    serve(context, once=True)
    policy = context.versions()[1]
    assert policy.reason.startswith("all 3 solved problems are held out")


@pytest.mark.parametrize(
    ("start", "parents"),
    [
        ("policy", ("policy-r001", "policy-r002")),
        ("bootstrap", ("policy-r000", "policy-r000")),
        ("previous", ("policy-r000", "ppm-r001")),
    ],
)
def test_a_ppm_starts_from_the_model_that_its_setting_names(context, encoder, start, parents):
    context = with_settings(context, "ppm", start=start, epochs=1.0)
    context = with_settings(context, "policy", epochs=1.0)
    serve(context, once=True)
    for number in (1, 2):
        trees = solved_trees(encoder, 4, seed=number)
        store_round(context.database, "run", number, trees, context.base().id)
        serve(context, once=True)
    ppms = [version for version in context.versions() if version.kind == "ppm"]
    assert [ppm.status for ppm in ppms] == ["published"] * 2
    assert tuple(ppm.parent_id.rpartition("-")[0] for ppm in ppms) == parents


def test_with_policy_history_all_trajectories_of_earlier_rounds_are_used(context, encoder):
    context = with_settings(context, "policy", history="all", replay=4)
    serve(context, once=True)
    for number in (1, 2):
        trees = solved_trees(encoder, 3, seed=number)
        store_round(context.database, "run", number, trees, context.base().id)
        serve(context, once=True)
    first, second = (v for v in context.versions() if v.kind == "policy" and v.round)
    assert (first.metrics["trajectories"], second.metrics["trajectories"]) == (3, 6)
    assert second.metrics["replayed"] == 4
    assert second.parent_id == context.base().id


def test_with_ppm_history_all_pairs_of_earlier_rounds_are_used_but_not_stored_again(
    context, encoder
):
    context = with_settings(context, "ppm", history="all")
    serve(context, once=True)
    stored = {}
    for number in (1, 2):
        store_round(
            context.database,
            "run",
            number,
            solved_trees(encoder, 6, seed=number),
            context.base().id,
        )
        serve(context, once=True)
        stored[number] = context.database.read(queries.pairs_of, "run", number)
    first, second = (v.metrics for v in context.versions() if v.kind == "ppm")
    assert first["pairs"] + first["pairs_heldout"] == len(stored[1])
    assert second["pairs"] + second["pairs_heldout"] == len(stored[1]) + len(stored[2])
    assert second["pairs_step"] + second["pairs_trajectory"] == len(stored[2])
    policies = [v.metrics for v in context.versions() if v.kind == "policy" and v.round]
    assert [each["trajectories"] for each in policies] == [each["problems"] for each in policies]
    assert [each["problems"] for each in policies] == [6, 6]


def test_the_process_trains_and_exits_on_sigterm(recipe, database, tmp_path):
    recipe = structs.replace(recipe, bootstrap=BootstrapConfig(kind="checkpoint"))
    file = tmp_path / "recipe.json"
    file.write_bytes(msgspec.json.encode(recipe))
    command = [sys.executable, "-m", "rstar_async.trainer", "--recipe", str(file), "--run", "run"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
        context = TrainingContext(recipe, "run", database)
        deadline = time.monotonic() + 120
        while status(context, 0) != "trained" and time.monotonic() < deadline:
            time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert status(context, 0) == "trained"
