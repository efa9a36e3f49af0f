"""Publishes a model version atomically.

The weights are written to a draft folder, checked, described by a manifest, synced and renamed;
only then does one database transaction make them a version. A process killed before that leaves a
draft, which the next start removes; the database row decides.
"""

import json
import math
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSequenceClassification

from rstar_async.data.owned_folders import MARKER, is_owned, make_owned, remove_owned
from rstar_async.engines.exact_attention import with_exact_attention
from rstar_async.sanitize import from_json
from rstar_async.trainer import distributed
from rstar_async.trainer.checkpoint_io import (
    checksums,
    has_tensor,
    let_others_read,
    make_durable,
    sync,
    weights_digest,
)
from rstar_async.trainer.errors import Refused
from rstar_async.trainer.model_card import model_card
from rstar_async.trainer.scorer import HEAD_BIAS, needs_head_bias
from rstar_async.trainer.trainer_args import quiet
from rstar_async.trainer.worst_pairs import KEY as WORST_PAIRS
from storage.records import ModelKind, ModelVersion

DRAFT_PREFIX = ".tmp-"
STEP_LOG = "metrics.jsonl"
MANIFEST = "manifest.json"
CARD = "README.md"


@contextmanager
def draft(models: Path) -> Iterator[Path]:
    """A folder to write a version into; it is removed at the end unless it was published."""

    def make() -> Path:
        return make_owned(models / f"{DRAFT_PREFIX}{uuid.uuid4().hex}")

    folder = distributed.on_rank0(make)
    try:
        yield folder
    finally:
        if distributed.is_rank0():
            remove_owned(folder)


def publish(
    folder: Path,
    *,
    kind: ModelKind,
    run: str,
    round_number: int,
    parent: str | None,
    manifest_fields: Mapping[str, Any],
    metrics: Mapping[str, Any],
    step_log: Sequence[Mapping[str, Any]],
    probe: Sequence[Sequence[int]],
) -> ModelVersion:
    """Check the draft in `folder`, rename it to its id beside itself, and return its row.

    `manifest_fields` go into the manifest unchanged, and so do the worst pairs among the `metrics`;
    The row's path is relative to the folder above, which is that of the run.
    `step_log` goes into `metrics.jsonl`. `probe` are id sequences whose scores a worker can compare
    after loading. The caller commits the row.
    """
    figures = {name: value for name, value in metrics.items() if name != WORST_PAIRS}
    version = f"{kind}-r{round_number:03d}-{weights_digest(folder, run)}"
    (folder / STEP_LOG).write_text("".join(json.dumps(record) + "\n" for record in step_log))
    manifest = {
        "id": version,
        "kind": kind,
        "run": run,
        "round": round_number,
        "parent": parent,
        "architecture": AutoConfig.from_pretrained(folder).architectures[0],
        **manifest_fields,
        "metrics": figures,
        **{name: value for name, value in metrics.items() if name == WORST_PAIRS},
        "probe": {"input_ids": [list(ids) for ids in probe], "values": check(folder, kind, probe)},
    }
    (folder / CARD).write_text(model_card(manifest, figures))
    manifest["files"] = checksums(folder)
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
    let_others_read(folder)
    make_durable(folder)
    published = _rename(folder, version)
    manifest = json.loads((published / MANIFEST).read_text())
    return ModelVersion(
        id=version,
        run_id=run,
        kind=kind,
        round=round_number,
        parent_id=parent,
        path=f"{published.parent.name}/{version}",
        status="published",
        manifest=manifest,
        metrics=figures,
    )


def check(folder: Path, kind: ModelKind, probe: Sequence[Sequence[int]]) -> list[float]:
    """Load the model as a worker would and give one number per probe sequence: a policy's log
    probability of the last token, a PPM's raw score at it. `Refused` if something is wrong."""
    quiet()
    auto: Any = AutoModelForCausalLM if kind == "policy" else AutoModelForSequenceClassification
    model, report = auto.from_pretrained(folder, dtype="float32", output_loading_info=True)
    if report["missing_keys"]:
        raise Refused(f"{kind}: the saved weights lack {sorted(report['missing_keys'])}")
    model = with_exact_attention(model)
    _check_class(folder, kind, type(model).__name__)
    values = [_probe_value(model.eval(), kind, ids) for ids in probe]
    if not all(math.isfinite(value) for value in values):
        raise Refused(f"{kind}: the trained weights give {values} on the probe")
    return values


def _check_class(folder: Path, kind: ModelKind, stock: str) -> None:
    config = AutoConfig.from_pretrained(folder)
    if config.architectures != [stock]:
        raise Refused(f"{kind}: saved as {config.architectures}, servers need {stock}")
    if kind == "ppm" and (config.num_labels != 1 or config.pad_token_id is None):
        raise Refused("ppm: the config must have one label and a pad token")
    if kind == "ppm" and needs_head_bias(config.model_type) and not has_tensor(folder, HEAD_BIAS):
        raise Refused(f"ppm: {HEAD_BIAS} is missing, SGLang would initialise it at random")


@torch.no_grad()
def _probe_value(model: Any, kind: ModelKind, ids: Sequence[int]) -> float:
    logits = model(torch.tensor([list(ids)])).logits[0]
    if kind == "ppm":
        return float(logits[0])
    return float(logits[-2].log_softmax(-1)[ids[-1]])


def _rename(folder: Path, version: str) -> Path:
    """Rename the draft to its id. An existing folder of that name has the same weights, from a
    training that was killed before its row was stored; it is kept with its own manifest."""
    target = folder.parent / version
    if not target.is_dir():
        (folder / MARKER).unlink()
        os.rename(folder, target)
        sync(folder.parent)
    return target


def remove_published(folder: Path, version: str) -> bool:
    """Remove the folder of a version if its manifest names it; returns whether it did."""
    try:
        manifest = from_json((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return False
    if folder.is_symlink() or not isinstance(manifest, dict) or manifest.get("id") != version:
        return False
    shutil.rmtree(folder)
    return True


def clear_drafts(models: Path) -> list[str]:
    """Remove the drafts of trainings that were killed and return their names.

    A published folder stays even if no row names it: it may belong to another database.
    """
    drafts = sorted(folder for folder in models.glob(f"{DRAFT_PREFIX}*") if is_owned(folder))
    for folder in drafts:
        remove_owned(folder)
    return [folder.name for folder in drafts]
