import pytest
import torch

from rstar_async.config import PolicyConfig, TrainingConfig
from rstar_async.demo.problems import word_problems
from rstar_async.trainer.dataset import demonstration_row
from rstar_async.trainer.errors import Refused
from rstar_async.trainer.oom import is_out_of_memory, with_less_at_once
from rstar_async.trainer.policy import train_policy
from rstar_async.trainer.progress import TrainingProgress

ALL_THE_MEMORY_THERE_IS = 1 << 60


def allocate_too_much(*_):
    torch.empty(ALL_THE_MEMORY_THERE_IS, dtype=torch.int8)


def test_the_allocators_say_so_in_their_own_ways():
    with pytest.raises(RuntimeError) as failed:
        allocate_too_much()
    assert is_out_of_memory(failed.value)
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert not is_out_of_memory(RuntimeError("shapes do not fit"))


def test_other_errors_are_not_tried_again():
    with pytest.raises(ZeroDivisionError):
        with_less_at_once(8, 1, "sequences", lambda n: n // 0)


def test_when_less_cannot_be_it_says_what_to_do():
    with pytest.raises(Refused, match=r"out of memory with 2 .* training.gradient_checkpointing"):
        with_less_at_once(8, 2, "sequences", allocate_too_much)


def test_half_as_much_at_once_is_the_same_training(base, encoder, tmp_path, caplog):
    problems = word_problems(16, (1, 2), 3, "demonstration")
    rows = [demonstration_row(p.question, p.solution, encoder) for p in problems]
    settings = PolicyConfig(epochs=1, learning_rate=1e-3, batch_size=8, micro_batch=8)
    calls = []

    def scarce(line):
        calls.append(line["step"])
        if len(calls) == 2:
            allocate_too_much()

    losses = []
    for show in (lambda _: None, scarce):
        progress = TrainingProgress("policy", show=show)
        metrics = train_policy(
            base, rows, settings, TrainingConfig(), seed=1, into=tmp_path, progress=progress
        )
        losses.append(progress.losses)
    assert metrics["micro_batch"] == 4
    (warning,) = [r for r in caplog.records if r.getMessage().startswith("out of memory")]
    assert warning.sequences == 4
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
