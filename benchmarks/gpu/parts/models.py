"""A policy that writes steps, and a PPM: what the other parts serve, search with and train.

The policy is the base, trained on a few generated demonstrations as a run's bootstrap does it; the
PPM is the same network with a random head, since the speed and the sums of a server do not depend
on what a head has learnt.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmarks.gpu.findings import Findings
from benchmarks.gpu.place import POLICY, PPM, Place
from rstar_async.config import PolicyConfig, TrainingConfig
from rstar_async.demo.problems import word_problems
from rstar_async.text.encoding import Encoder
from rstar_async.trainer.base import prepare_base
from rstar_async.trainer.context import probe
from rstar_async.trainer.dataset import demonstration_row
from rstar_async.trainer.policy import PolicyJob, train_policy
from rstar_async.trainer.progress import TrainingProgress
from rstar_async.trainer.publish import check
from rstar_async.trainer.scorer import complete_folder, load_ppm
from storage.records import ModelKind

SETTINGS = PolicyConfig(epochs=2, learning_rate=2e-4, batch_size=8, micro_batch=8)
DEMONSTRATIONS, FEW = 240, 16
HEAD_SCALE = 0.05


def measure(place: Place, findings: Findings) -> None:
    policy, ppm = place.models / POLICY, place.models / PPM
    findings.note("base", place.base)
    _train(place, policy, findings)
    _publish(policy, "policy", policy)
    _write_ppm(policy, ppm)
    _publish(ppm, "ppm", policy)


def _train(place: Place, into: Path, findings: Findings) -> None:
    into.mkdir(parents=True)
    with TemporaryDirectory() as scratch:
        base = Path(scratch)
        prepare_base(place.base, base)
        encoder = Encoder.load(base, "tagged")
        count = FEW if place.short else DEMONSTRATIONS
        problems = word_problems(count, (1, 2, 3), 1, "demonstration")
        rows = [demonstration_row(p.question, p.solution, encoder) for p in problems]
        job = PolicyJob(base, rows, SETTINGS, TrainingConfig(), seed=1)
        metrics = train_policy(job, into=into, progress=TrainingProgress("policy"))
    rate = metrics["tokens"] * SETTINGS.epochs / metrics["train_seconds"]
    findings.note("tokens trained on", rate, "tokens/s")
    findings.note("loss of the first step", metrics["loss_first"])
    findings.note("loss of the last step", metrics["loss_last"])


def _write_ppm(policy: Path, into: Path) -> None:
    model = load_ppm(policy)
    torch.manual_seed(1)
    torch.nn.init.normal_(model.score.weight, std=HEAD_SCALE)
    model.save_pretrained(into)
    complete_folder(policy, into)


def _publish(folder: Path, kind: ModelKind, policy: Path) -> None:
    """A manifest with the probe that a server's sums are compared with."""
    ids = [list(one) for one in probe(Encoder.load(policy, "tagged"))]
    manifest = {
        "prompt_style": "tagged",
        "probe": {"input_ids": ids, "values": check(folder, kind, ids)},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
