"""Training from files alone, without a run or a database; the result is a published folder."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from msgspec import to_builtins

from rstar_async.config import Recipe
from rstar_async.errors import BadInput
from rstar_async.models.registry import sha256
from rstar_async.text.encoding import Encoder
from rstar_async.trainer import distributed
from rstar_async.trainer.base import prepare_base
from rstar_async.trainer.build_dataset import is_heldout
from rstar_async.trainer.checkpoint_io import save_chat_template
from rstar_async.trainer.checkpoints import clear_checkpoints
from rstar_async.trainer.context import LIBRARIES, code_revision, max_length, probe, versions_of
from rstar_async.trainer.dataset import within
from rstar_async.trainer.errors import Refused
from rstar_async.trainer.file_dataset import read_preferences, read_sft
from rstar_async.trainer.packing import PackedTree, pack
from rstar_async.trainer.policy import PolicyJob, train_policy
from rstar_async.trainer.ppm import PPMJob, train_ppm
from rstar_async.trainer.progress import TrainingProgress
from rstar_async.trainer.publish import draft, publish
from rstar_async.trainer.trackers import check_extras
from storage.records import ModelKind


@dataclass(frozen=True)
class FileTrainingJob:
    """What to train on which data (formats: `data.files`, `data.schemas`).

    The version's folder is written to `into`, and so are checkpoints and tracker files during the
    training. Of the recipe only the model and the training settings are used.
    """

    kind: ModelKind
    data: str
    into: Path
    recipe: Recipe
    should_stop: Callable[[], bool]
    show: Callable[[Mapping[str, Any]], None]


def train_from_file(job: FileTrainingJob) -> Path:
    """Train and publish; returns the version's folder. `BadInput` for data that cannot be used, and
    then no files are left."""
    check_extras(job.recipe.training)
    torch.set_num_threads(job.recipe.training.threads)
    progress = TrainingProgress(
        job.kind, 0, None, job.into / "training", should_stop=job.should_stop, show=job.show
    )
    with TemporaryDirectory() as scratch, draft(job.into) as folder:
        start = Path(scratch)
        prepare_base(job.recipe.model.base, start)
        encoder = Encoder.load(start, "tagged")
        try:
            counts, metrics = _TRAININGS[job.kind](job, start, encoder, folder, progress)
            if job.kind == "policy":
                distributed.on_rank0(lambda: save_chat_template(folder, encoder))
            version = distributed.on_rank0(
                lambda: publish(
                    folder,
                    kind=job.kind,
                    run=Path(job.data).stem,
                    round_number=0,
                    parent=None,
                    manifest_fields=_manifest_fields(job, encoder),
                    metrics={**counts, **metrics},
                    step_log=progress.step_log,
                    probe=probe(encoder),
                )
            )
        except Refused as refused:
            raise BadInput(f"{job.data}: {refused}") from None
    if distributed.is_rank0():
        clear_checkpoints(job.into / "training" / "checkpoints")
    return job.into / version.id


def _policy(
    job: FileTrainingJob, start: Path, encoder: Encoder, folder: Path, progress: TrainingProgress
) -> tuple[dict[str, Any], dict[str, Any]]:
    settings = job.recipe.policy
    rows = read_sft(job.data, encoder)
    longest = max_length(settings.max_length, start)
    fitting = within(rows, longest)
    if rows and not fitting:
        raise Refused(f"all {len(rows)} solutions are longer than {longest} tokens")
    policy = PolicyJob(start, fitting, settings, job.recipe.training, job.recipe.seed)
    metrics = train_policy(policy, into=folder, progress=progress)
    return {"too_long": len(rows) - len(fitting)}, metrics


def _ppm(
    job: FileTrainingJob, start: Path, encoder: Encoder, folder: Path, progress: TrainingProgress
) -> tuple[dict[str, Any], dict[str, Any]]:
    settings = job.recipe.ppm
    if settings.objective != "preference":
        raise BadInput(f"ppm.objective is {settings.objective}, but files hold preferences only")
    longest = max_length(settings.max_length, start)
    trees = read_preferences(job.data, encoder)
    packed: dict[bool, list[PackedTree]] = {True: [], False: []}
    too_long = 0
    for tree in trees:
        parts, kept = pack(tree, longest, settings.max_tokens, settings.score_at)
        packed[is_heldout(tree.problem_id, settings.heldout_share)] += parts
        too_long += len(tree.pairs) - len(kept)
    if trees and not packed[False]:
        raise Refused(_no_training_pairs(len(trees), too_long, longest))
    ppm = PPMJob(
        start=start,
        trees=packed[False],
        heldout=packed[True],
        settings=settings,
        training=job.recipe.training,
        scale=job.recipe.search.ppm_scale,
        seed=job.recipe.seed,
    )
    metrics = train_ppm(ppm, into=folder, progress=progress)
    return {"pairs_too_long": too_long}, metrics


def _no_training_pairs(questions: int, too_long: int, longest: int) -> str:
    return (
        f"no preference is left to train on: of {questions} questions, {too_long} pairs are longer "
        f"than {longest} tokens and the others are held out (ppm.heldout_share)"
    )


_TRAININGS = {"policy": _policy, "ppm": _ppm}


def _data_identity(data: str) -> dict[str, str]:
    """The data's name and checksum, to tell later whether they have changed."""
    file = Path(data)
    return {"source": file.name, "sha256": sha256(file)} if file.is_file() else {"source": data}


def _manifest_fields(job: FileTrainingJob, encoder: Encoder) -> dict[str, Any]:
    recipe = job.recipe
    settings = recipe.policy if job.kind == "policy" else recipe.ppm
    squash = {"squash": "tanh", "scale": recipe.search.ppm_scale} if job.kind == "ppm" else {}
    return {
        "prompt_style": "tagged",
        "bos_ids": list(encoder.bos_ids),
        "base": recipe.model.base,
        "data": _data_identity(job.data),
        "settings": to_builtins(settings),
        "training": to_builtins(recipe.training),
        "seed": recipe.seed,
        "code_revision": code_revision(),
        "libraries": versions_of(LIBRARIES),
        "created_at": time.time(),
        **squash,
    }
