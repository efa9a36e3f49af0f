import json
import os
import signal

import pytest
import torch
from safetensors.torch import load_file, save_file

from rstar_async.data.owned_folders import make_owned
from rstar_async.trainer import publish as publishing
from rstar_async.trainer.base import prepare_base
from rstar_async.trainer.checkpoint_io import add_tensor, checksums, has_tensor, weights_digest
from rstar_async.trainer.context import probe
from rstar_async.trainer.errors import Refused
from rstar_async.trainer.loop import serve
from rstar_async.trainer.publish import check, clear_drafts, draft, publish, remove_published
from rstar_async.trainer.scorer import complete_folder, load_ppm
from storage import queries
from storage.database import Database
from tests.trainer.forked import run_in_fork
from tests.trainer.stored_trees import solved_trees, store_round

MANIFEST_FIELDS = {
    "prompt_style": "tagged",
    "base": "here",
    "settings": {},
    "code_revision": "0+gtest",
}


def publish_base(base, models, encoder):
    with draft(models) as folder:
        prepare_base(str(base), folder)
        return publish(
            folder,
            kind="policy",
            run="run",
            round_number=0,
            parent=None,
            manifest_fields=MANIFEST_FIELDS,
            metrics={"rows": 3},
            step_log=[{"step": 1}],
            probe=probe(encoder),
        )


def test_a_version_is_a_folder_with_a_manifest_that_can_be_checked(base, tmp_path, encoder):
    version = publish_base(base, tmp_path, encoder)
    folder = tmp_path / version.id
    assert version.path == f"{tmp_path.name}/{version.id}"
    assert version.id == f"policy-r000-{weights_digest(folder, 'run')}"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest == version.manifest
    assert manifest["architecture"] == "LlamaForCausalLM"
    assert manifest["prompt_style"] == "tagged"
    on_disk = {name: entry for name, entry in checksums(folder).items() if name != "manifest.json"}
    assert manifest["files"] == on_disk
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: transformers")
    assert version.id in card
    assert (folder / "metrics.jsonl").read_text() == '{"step": 1}\n'
    assert manifest["probe"]["values"] == check(folder, "policy", manifest["probe"]["input_ids"])
    assert [path.name for path in tmp_path.iterdir()] == [version.id]
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o644}


def test_an_unfinished_draft_is_removed(tmp_path):
    with draft(tmp_path) as folder:
        (folder / "half").touch()
    assert list(tmp_path.iterdir()) == []


def test_weights_that_are_not_finite_are_refused(base, tmp_path, encoder):
    prepare_base(str(base), tmp_path)
    file = tmp_path / "model.safetensors"
    weights = load_file(file)
    weights["model.norm.weight"] = torch.full_like(weights["model.norm.weight"], torch.nan)
    save_file(weights, file, metadata={"format": "pt"})
    with pytest.raises(Refused, match="nan"):
        check(tmp_path, "policy", probe(encoder))


def test_a_class_that_no_server_knows_is_refused(base, tmp_path, encoder):
    load_ppm(base).save_pretrained(tmp_path)
    complete_folder(base, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "architectures": ["Mine"]}))
    with pytest.raises(Refused, match="servers need LlamaForSequenceClassification"):
        check(tmp_path, "ppm", probe(encoder))


def test_weights_that_lack_the_head_are_refused(base, tmp_path, encoder):
    load_ppm(base).save_pretrained(tmp_path)
    complete_folder(base, tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["score.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(Refused, match=r"score\.weight"):
        check(tmp_path, "ppm", probe(encoder))


def test_a_tensor_is_added_to_one_shard_and_to_the_index(base, tmp_path):
    load_ppm(base).save_pretrained(tmp_path, max_shard_size="50KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    add_tensor(tmp_path, "score.bias", torch.zeros(1))
    assert has_tensor(tmp_path, "score.bias")
    index = json.loads((tmp_path / "model.safetensors.index.json").read_text())
    assert load_file(tmp_path / index["weight_map"]["score.bias"])["score.bias"].tolist() == [0.0]


def test_only_drafts_are_cleared(tmp_path):
    for name in (".tmp-1", "policy-r001-01234567", "ppm-r001-01234567", "mine", "policy-final"):
        (tmp_path / name).mkdir()
    make_owned(tmp_path / ".tmp-2")
    assert clear_drafts(tmp_path) == [".tmp-2"]
    assert len(list(tmp_path.iterdir())) == 5
    assert clear_drafts(tmp_path / "nowhere") == []


def test_a_folder_is_removed_only_if_its_manifest_names_the_version(tmp_path):
    for name, manifest_id in (
        ("policy-r001-01234567", "policy-r001-01234567"),
        ("thesis", "other"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(json.dumps({"id": manifest_id}))
    (tmp_path / "bare").mkdir()
    removed = [remove_published(tmp_path / n, n) for n in ("thesis", "bare", "gone")]
    assert removed == [False, False, False]
    assert remove_published(tmp_path / "policy-r001-01234567", "policy-r001-01234567")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bare", "thesis"]


def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


def die_after(function):
    """`function`, and then the process kills itself."""
    return lambda *args, **kwargs: (function(*args, **kwargs), die())


KILLS = {
    "weights written": (publishing, "check", die),
    "manifest written": (publishing, "make_durable", die),
    "policy renamed": (publishing, "_rename", die_after(publishing._rename)),
    "both renamed": (Database, "commit", die),
    "committed": (Database, "commit", die_after(Database.commit)),
}


@pytest.mark.parametrize("moment", KILLS)
def test_a_process_killed_at_any_moment_has_published_all_or_nothing(
    moment, context, encoder, monkeypatch
):
    serve(context, once=True)
    (base,) = context.versions()
    store_round(context.database, "run", 1, solved_trees(encoder, 6), base.id)
    with monkeypatch.context() as patch:
        patch.setattr(*KILLS[moment])
        # The child must open its own connections.
        context.database.close()
        assert run_in_fork(lambda: serve(context, once=True)) == signal.SIGKILL
    published = {version.id for version in context.versions()}
    assert len(published) == (3 if moment == "committed" else 1)
    assert all_files_present(context, published)
    serve(context, once=True)
    after_restart = context.versions()
    assert [version.kind for version in after_restart] == ["policy", "policy", "ppm"]
    assert all_files_present(context, {version.id for version in after_restart})
    assert {path.name for path in context.models.iterdir()} == {v.id for v in after_restart}
    assert context.database.read(queries.round_by_number, "run", 1).status == "trained"
    assert context.database.read(queries.pairs_of, "run", 1)


def all_files_present(context, versions):
    """Whether every version has all files that its row lists."""
    return all(
        checksums(context.models / version).items()
        >= context.database.read(queries.model_version, version).manifest["files"].items()
        for version in versions
    )
