"""A killed training resumes to the losses and weights of one that was not killed."""

import os
import signal
from functools import partial

import pytest
from msgspec import structs

from rstar_async.config import LoRAConfig, PolicyConfig, PPMConfig, TrainingConfig
from rstar_async.demo.problems import word_problems
from rstar_async.trainer.checkpoints import COMPLETE
from rstar_async.trainer.dataset import demonstration_row
from rstar_async.trainer.errors import Stopped
from rstar_async.trainer.policy import PolicyJob, train_policy
from rstar_async.trainer.ppm import PPMJob, train_ppm
from rstar_async.trainer.progress import TrainingProgress
from tests.trainer.forked import run_in_fork
from tests.trainer.stored_trees import packed_trees

POLICY = PolicyConfig(epochs=3, learning_rate=3e-3, batch_size=4, micro_batch=2)
PPM = PPMConfig(epochs=3, learning_rate=3e-3, batch_trees=4, min_steps=0)
ALWAYS = TrainingConfig(checkpoint_seconds=1e-9)


@pytest.fixture(scope="module")
def trainings(base, encoder):
    """10 rows, so the last batch of an epoch is smaller; and 10 trees."""
    problems = word_problems(10, (1, 2), 3, "demonstration")
    rows = [demonstration_row(p.question, p.solution, encoder) for p in problems]
    trees = packed_trees(encoder, 10)

    def policy(into, progress, settings=POLICY, count=10):
        job = PolicyJob(base, rows[:count], settings, ALWAYS, seed=1)
        train_policy(job, into=into, progress=progress)

    def ppm(into, progress, settings=PPM, count=10):
        job = PPMJob(base, trees[:count], [], settings, ALWAYS, scale=5.0, seed=1)
        train_ppm(job, into=into, progress=progress)

    return {
        "policy": policy,
        "ppm": ppm,
        "policy_adapters": partial(policy, settings=with_adapters(POLICY)),
        "ppm_adapters": partial(ppm, settings=with_adapters(PPM)),
    }


def progress_in(tmp_path, step=None, action=None):
    """Progress that calls `action` after `step`, before its checkpoint is saved."""

    def show(line):
        if line["step"] == step:
            action()

    return TrainingProgress("any", folder=tmp_path, show=show if action else lambda _: None)


def curve(progress):
    return [(line["step"], line["loss"], line["grad_norm"]) for line in progress.step_log[1:]]


def with_adapters(settings):
    return structs.replace(settings, lora=LoRAConfig(rank=2))


@pytest.mark.parametrize("kind", ["policy", "ppm", "policy_adapters", "ppm_adapters"])
def test_a_training_killed_in_the_second_epoch_resumes_to_the_same_losses_and_weights(
    kind, trainings, tmp_path
):
    into = [tmp_path / name for name in ("whole", "resumed")]
    for folder in into:
        folder.mkdir()
    whole = TrainingProgress(kind)
    trainings[kind](into[0], whole)
    dying = progress_in(tmp_path, 5, lambda: os.kill(os.getpid(), signal.SIGKILL))
    assert run_in_fork(lambda: trainings[kind](into[1], dying)) == signal.SIGKILL
    assert list(into[1].iterdir()) == []
    resumed = progress_in(tmp_path)
    steps = []
    resumed.show = lambda line: steps.append(line["step"])
    trainings[kind](into[1], resumed)
    assert steps == [4, 5, 6, 7, 8, 9]
    assert curve(resumed) == curve(whole)
    one, other = ((folder / "model.safetensors").read_bytes() for folder in into)
    assert one == other


def test_an_incomplete_checkpoint_is_not_used(trainings, tmp_path):
    dying = progress_in(tmp_path, 5, lambda: os.kill(os.getpid(), signal.SIGKILL))
    run_in_fork(lambda: trainings["policy"](tmp_path, dying))
    (unfinished,) = (tmp_path / "checkpoints").rglob(f"checkpoint-4/{COMPLETE}")
    unfinished.unlink()
    steps = []
    again = progress_in(tmp_path)
    again.show = lambda line: steps.append(line["step"])
    trainings["policy"](tmp_path, again)
    assert steps[0] == 3


@pytest.mark.parametrize(
    "other", [{"settings": structs.replace(POLICY, learning_rate=1e-3)}, {"count": 9}]
)
def test_other_settings_or_other_data_start_from_the_beginning(other, trainings, tmp_path):
    stopping = progress_in(tmp_path)
    stopping.should_stop = lambda: len(stopping.step_log) > 3
    with pytest.raises(Stopped):
        trainings["policy"](tmp_path, stopping)
    assert list((tmp_path / "checkpoints").rglob(COMPLETE))
    again = progress_in(tmp_path)
    trainings["policy"](tmp_path, again, **other)
    assert again.step_log[0]["step"] == 0
    assert again.step_log[0]["time"] <= again.step_log[1]["time"]
    assert len(list((tmp_path / "checkpoints" / again.name).iterdir())) == 1
