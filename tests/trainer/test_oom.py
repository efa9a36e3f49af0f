import pytest
import torch

from rstar_async.config import PolicyConfig, TrainingConfig
from rstar_async.demo.problems import word_problems
from rstar_async.trainer.dataset import demonstration_row
from rstar_async.trainer.errors import Refused
from rstar_async.trainer.oom import halve_on_oom, is_out_of_memory
from rstar_async.trainer.policy import PolicyJob, train_policy
from rstar_async.trainer.progress import TrainingProgress

MORE_THAN_ANY_MEMORY = 1 << 60


def allocate_too_much(*_):
    torch.empty(MORE_THAN_ANY_MEMORY, dtype=torch.int8)


def test_the_errors_of_both_allocators_are_recognised():
    with pytest.raises(RuntimeError) as failed:
        allocate_too_much()
    assert is_out_of_memory(failed.value)
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert not is_out_of_memory(RuntimeError("shapes do not fit"))


def test_other_errors_are_not_tried_again():
    with pytest.raises(ZeroDivisionError):
        halve_on_oom(8, 1, "sequences", lambda n: n // 0)


def test_a_pass_of_minimal_size_is_refused_with_advice():
    with pytest.raises(Refused, match=r"out of memory with 2 .* training.gradient_checkpointing"):
        halve_on_oom(8, 2, "sequences", allocate_too_much)


def test_halved_passes_give_the_same_losses(base, encoder, tmp_path, caplog):
    problems = word_problems(16, (1, 2), 3, "demonstration")
    rows = [demonstration_row(p.question, p.solution, encoder) for p in problems]
    settings = PolicyConfig(epochs=1, learning_rate=1e-3, batch_size=8, micro_batch=8)
    steps_shown = []

    def fail_once(line):
        steps_shown.append(line["step"])
        if len(steps_shown) == 2:
            allocate_too_much()

    losses = []
    for show in (lambda _: None, fail_once):
        progress = TrainingProgress("policy", show=show)
        job = PolicyJob(base, rows, settings, TrainingConfig(), seed=1)
        metrics = train_policy(job, into=tmp_path, progress=progress)
        losses.append(progress.losses)
    assert metrics["micro_batch"] == 4
    (warning,) = [r for r in caplog.records if r.getMessage().startswith("out of memory")]
    assert warning.sequences == 4
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
