import logging

import pytest
import torch

from rstar_async.config import PolicyConfig, TrainingConfig
from rstar_async.engines import precision
from rstar_async.trainer.trainer_args import Batch, trainer_arguments
from workers.engines.local.loader import pick_dtype

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("bfloat16", "chosen"), [(460.0, torch.bfloat16), (110.0, torch.float32), (50.0, torch.float32)]
)
def test_bfloat16_has_to_be_clearly_faster(bfloat16, chosen):
    assert precision.faster({torch.float32: 100.0, torch.bfloat16: bfloat16}) == chosen


def test_the_fastest_is_measured_and_logged_and_both_worker_and_trainer_take_it(caplog, tmp_path):
    caplog.set_level(logging.INFO)
    rates = precision.measured_rates()
    assert min(rates.values()) > 0
    assert precision.measured_rates() is rates  # once a process
    chosen = precision.faster(rates)
    assert pick_dtype("fastest", CPU) == chosen
    assert vars(caplog.records[-1])["dtype"] == str(chosen)
    assert pick_dtype("fastest", torch.device("cuda")) == torch.bfloat16
    assert (pick_dtype("float32", CPU), pick_dtype("auto", CPU)) == (torch.float32,) * 2

    def is_mixed(dtype: str) -> bool:
        settings = TrainingConfig(dtype=dtype)
        batch = Batch(1, 1)
        return trainer_arguments(PolicyConfig(), settings, batch, seed=1, folder=tmp_path)["bf16"]

    assert is_mixed("fastest") == (chosen == torch.bfloat16)
    assert (is_mixed("float32"), is_mixed("bfloat16")) == (False, True)
    if not torch.cuda.is_available():
        assert not is_mixed("auto")
