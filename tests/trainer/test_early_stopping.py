"""The callback with scripted measurements, then whole trainings."""

import json
import os
import signal
from types import SimpleNamespace

import pytest
import torch
from msgspec import structs

from rstar_async.config import PPMConfig, TrainingConfig
from rstar_async.trainer.checkpoints import Checkpoints, SaveCheckpoints
from rstar_async.trainer.early_stopping import MEASUREMENTS, EarlyStopping, split_heldout
from rstar_async.trainer.packing import PackedTree
from rstar_async.trainer.pair_accuracy import score_pairs
from rstar_async.trainer.ppm import PPMJob, train_ppm
from rstar_async.trainer.progress import TrainingProgress
from rstar_async.trainer.scorer import load_ppm
from tests.trainer.forked import run_in_fork
from tests.trainer.stored_trees import packed_trees

HELDOUT = 40
TRAINING = TrainingConfig()
SETTINGS = PPMConfig(epochs=10, learning_rate=3e-3, batch_trees=4, min_steps=0, patience=3)


def of_problems(count: int, trees_each: int = 1) -> list[PackedTree]:
    return [
        PackedTree(f"problem {number}", [], [], [], [], [], [], [], {})
        for number in range(count)
        for _ in range(trees_each)
    ]


def problems(trees: list[PackedTree]) -> set[str]:
    return {tree.problem_id for tree in trees}


def test_some_problems_choose_the_step_and_others_measure():
    trees = of_problems(40, trees_each=2)
    choosing, measuring = split_heldout(trees)
    assert len(choosing) + len(measuring) == 80
    assert not problems(choosing) & problems(measuring)
    assert min(len(problems(choosing)), len(problems(measuring))) >= 8


def test_a_problem_stays_on_its_side_when_others_are_added():
    few, many = of_problems(40), of_problems(100)
    assert problems(split_heldout(few)[0]) <= problems(split_heldout(many)[0])


def test_with_too_few_problems_for_both_all_of_them_measure():
    trees = of_problems(12, trees_each=5)
    assert split_heldout(trees) == ([], trees)


class Course:
    """A training of a model whose weight is its step, under scripted accuracies."""

    def __init__(self, folder, accuracies, patience):
        self.model = torch.nn.Linear(1, 1, bias=False)
        self.steps = MEASUREMENTS * 2
        script = iter(accuracies)
        self.callback = EarlyStopping(lambda _: next(script), patience, Checkpoints(folder, 1.0))

    def run(self, first=1, last=None):
        """Steps `first` to `last`; the step that ended it, None if none did."""
        for step in range(first, (last or self.steps) + 1):
            torch.nn.init.constant_(self.model.weight, step)
            control = SimpleNamespace(should_training_stop=False)
            self.callback.on_step_end(None, self.at(step), control, self.model)
            if control.should_training_stop:
                return step
        return None

    def at(self, step):
        return SimpleNamespace(global_step=step, max_steps=self.steps)

    def kept(self):
        self.callback.restore(self.model)
        return self.model.weight.item()


def test_the_best_weights_are_kept_and_the_training_ends_after_patience(tmp_path):
    course = Course(tmp_path, [0.5, 0.7, 0.9, 0.8, 0.9, 0.7], patience=3)
    assert course.run() == 12
    assert course.kept() == 6
    assert course.callback.metrics() == {
        "best_step": 6,
        "stopped_early": True,
        "pair_accuracy_choosing": 0.9,
    }


def test_a_better_measurement_renews_the_patience(tmp_path):
    course = Course(tmp_path, [0.5, 0.4, 0.6, 0.5, *[0.7] * (MEASUREMENTS - 4)], patience=2)
    assert course.run() == 14
    assert course.kept() == 10


def test_a_training_that_gets_better_to_its_end_makes_all_steps(tmp_path):
    course = Course(tmp_path, [n / MEASUREMENTS for n in range(MEASUREMENTS)], patience=1)
    assert course.run() is None
    assert course.kept() == course.steps
    assert course.callback.metrics()["stopped_early"] is False


def test_without_patience_nothing_is_measured_and_the_last_weights_stay(tmp_path):
    course = Course(tmp_path, [], patience=0)
    assert course.run() is None
    assert course.kept() == course.steps
    assert course.callback.metrics() == {}


def test_a_checkpoint_has_the_best_weights_and_the_count(tmp_path):
    script = [0.5, 0.9, 0.8, 0.7, 0.6]
    whole = Course(tmp_path, script, patience=3)
    assert whole.run(last=6) is None
    (tmp_path / "checkpoint-6").mkdir()
    whole.callback.on_save(None, whole.at(6), None, whole.model)
    resumed = Course(tmp_path, script[3:], patience=3)
    resumed.callback.on_train_begin(None, resumed.at(6), None, resumed.model)
    assert (resumed.run(first=7), resumed.kept()) == (whole.run(first=7), whole.kept()) == (10, 4)


@pytest.fixture(scope="module")
def trees(encoder):
    return packed_trees(encoder, HELDOUT + 12)


def job_of(base, trees, settings=SETTINGS, training=TRAINING):
    return PPMJob(base, trees[HELDOUT:], trees[:HELDOUT], settings, training, scale=5.0, seed=1)


def train(job, into, progress=None):
    into.mkdir()
    return train_ppm(job, into=into, progress=progress or TrainingProgress("ppm"))


def test_what_is_published_is_measured_on_the_other_problems(base, trees, tmp_path):
    job = job_of(base, trees)
    metrics = train(job, tmp_path / "ppm")
    assert metrics["best_step"] <= metrics["steps"] <= 30
    model = load_ppm(tmp_path / "ppm")
    for name, side in (("choosing", job.choosing), ("by_problem", job.measuring)):
        by_problem = {}
        for pair in score_pairs(model, side, 8192):
            by_problem.setdefault(pair.problem_id, []).append(pair.points)
        means = [sum(points) / len(points) for points in by_problem.values()]
        assert metrics[f"pair_accuracy_{name}"] == pytest.approx(sum(means) / len(means), abs=1e-4)


def test_after_an_early_stop_the_progress_is_complete(base, trees, tmp_path):
    """Otherwise bars and the page would show a training that never ends."""
    progress = TrainingProgress("ppm", file=tmp_path / "progress.jsonl")
    metrics = train(job_of(base, trees), tmp_path / "ppm", progress)
    *_, before, last = map(json.loads, progress.file.read_text().splitlines())
    assert metrics["stopped_early"]
    assert (last["step"], last["total"]) == (metrics["steps"], metrics["steps"])
    assert (before["step"], before["total"]) == (metrics["steps"], 30)


def test_with_too_few_heldout_problems_all_steps_are_made_and_that_is_said(
    base, trees, tmp_path, caplog
):
    few = PPMJob(base, trees[HELDOUT:], trees[:6], SETTINGS, TrainingConfig(), scale=5.0, seed=1)
    metrics = train(few, tmp_path / "ppm")
    assert metrics["steps"] == 30
    assert "best_step" not in metrics
    assert "ppm.patience is not used" in caplog.text


def test_a_killed_training_ends_at_the_same_step_with_the_same_weights(base, trees, tmp_path):
    job = job_of(base, trees, training=TrainingConfig(checkpoint_seconds=1e-9))
    whole = train(job, tmp_path / "whole")
    kill_at = whole["steps"] - 1
    assert whole["stopped_early"]
    assert whole["best_step"] < kill_at - 1

    def die(line):
        if line["step"] == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def progress(show=lambda _: None):
        return TrainingProgress("ppm", folder=tmp_path, show=show)

    assert run_in_fork(lambda: train(job, tmp_path / "killed", progress(die))) == signal.SIGKILL
    steps = []
    resumed = train(job, tmp_path / "resumed", progress(lambda line: steps.append(line["step"])))
    assert steps[0] == kill_at - 1
    kept = ("steps", "best_step", "stopped_early", "pair_accuracy_choosing", "pair_accuracy")
    assert [resumed[name] for name in kept] == [whole[name] for name in kept]
    one, other = (tmp_path / name / "model.safetensors" for name in ("whole", "resumed"))
    assert one.read_bytes() == other.read_bytes()


def test_patience_is_part_of_what_identifies_a_training(base, trees):
    patient, plain = job_of(base, trees), job_of(base, trees, structs.replace(SETTINGS, patience=0))
    assert patient.fingerprint() != plain.fingerprint()
    assert plain.measuring == trees[:HELDOUT]
    other = PPMJob(
        base, trees[HELDOUT:], trees[: HELDOUT - 4], SETTINGS, TrainingConfig(), scale=5.0, seed=1
    )
    assert other.fingerprint() != patient.fingerprint()


def test_no_checkpoint_is_saved_at_the_step_that_ends_a_training_early(tmp_path):
    """A training that resumed from one would go on after its end."""
    saver = SaveCheckpoints(Checkpoints(tmp_path, 1e-9), should_stop=lambda: True)
    control = SimpleNamespace(should_training_stop=True, should_save=False)
    saver.on_step_end(None, SimpleNamespace(global_step=5, max_steps=9), control)
    assert not control.should_save
    saver.on_step_end(None, SimpleNamespace(global_step=9, max_steps=9), control)
    assert control.should_save
