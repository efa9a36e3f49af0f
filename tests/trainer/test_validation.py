"""Unusable data end in one clear message and no model."""

from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForCausalLM

from rstar_async.config import PolicyConfig, PPMConfig, TrainingConfig
from rstar_async.trainer.checkpoint_io import copy_tokenizer
from rstar_async.trainer.dataset import NOT_IN_LOSS, SFTRow
from rstar_async.trainer.errors import Refused
from rstar_async.trainer.policy import PolicyJob, train_policy
from rstar_async.trainer.ppm import PPMJob, train_ppm
from rstar_async.trainer.progress import TrainingProgress
from tests.trainer.stored_trees import packed_trees

GOOD = SFTRow([5, 6, 7], [NOT_IN_LOSS, 6, 7])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "there are no rows"),
        ([GOOD, SFTRow([5, 10**6], [5, 5])], "row 2 of 2 has the id 1000000, but the model knows"),
        ([SFTRow([5, -1], [5, 5])], "row 1 of 1 has the id -1"),
        ([SFTRow([5, 6], [5, 10**6])], "has the id 1000000"),
        ([SFTRow([5, 6], [5])], "2 ids, but 1 labels"),
        ([SFTRow([5, 6], [NOT_IN_LOSS] * 2)], "none of 1 rows has a token that the policy wrote"),
    ],
)
def test_unusable_rows_are_named(rows, message, base, tmp_path):
    progress = TrainingProgress("policy")
    job = PolicyJob(base, rows, PolicyConfig(), TrainingConfig(), seed=1)
    with pytest.raises(Refused, match=message):
        train_policy(job, into=tmp_path, progress=progress)
    assert list(tmp_path.iterdir()) == []


def with_bad_tree(encoder, **changes):
    good, bad = packed_trees(encoder, 2)
    return [good, replace(bad, **changes)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"input_ids": [10**6]}, "tree 2 of 2 has the id 1000000"),
        ({"pairs": [], "targets": []}, "tree 2 of 2 has neither pairs nor targets"),
    ],
)
def test_unusable_trees_are_named(changes, message, base, encoder, tmp_path):
    with pytest.raises(Refused, match=message):
        train(base, with_bad_tree(encoder, **changes), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_trees_and_one_class_teach_nothing(base, encoder, tmp_path):
    with pytest.raises(Refused, match="no trees"):
        train(base, [], tmp_path)
    same = [replace(tree, pairs=[], targets=[(0, 1.0, 1.0)]) for tree in packed_trees(encoder, 3)]
    with pytest.raises(Refused, match="every target has the value 1"):
        train(base, same, tmp_path, objective="orm")


def train(base, trees, into, **settings):
    job = PPMJob(base, trees, [], PPMConfig(**settings), TrainingConfig(), scale=5.0, seed=1)
    train_ppm(job, into=into, progress=TrainingProgress("ppm"))


def test_a_loss_that_is_not_finite_ends_the_training(base, tmp_path):
    model = AutoModelForCausalLM.from_pretrained(base)
    with torch.no_grad():
        model.model.norm.weight.fill_(torch.nan)
    model.save_pretrained(tmp_path / "start")
    copy_tokenizer(base, tmp_path / "start")
    progress, into = TrainingProgress("policy"), tmp_path / "into"
    start = tmp_path / "start"
    job = PolicyJob(start, [GOOD], PolicyConfig(batch_size=1), TrainingConfig(), seed=1)
    with pytest.raises(Refused, match=r"the loss is nan at step 1 of 2"):
        train_policy(job, into=into, progress=progress)
    assert not into.exists()
