"""For the tests of the workers too, which sit one folder up."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch

    from tests.workers.engines.tiny import write_generators, write_scorers

    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("models")
    write_generators(root)
    write_scorers(root)
    return root
