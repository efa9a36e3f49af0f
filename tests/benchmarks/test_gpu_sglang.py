"""`benchmarks.gpu` against real SGLang servers on a CPU: every part that needs no CUDA."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from benchmarks.report import Document
from tests.workers.engines.sglang.server import LAUNCH, free_port, needs_sglang

# Two servers start side by side, then one without a cache: many minutes, too long for every change.
pytestmark = [
    *needs_sglang,
    pytest.mark.slow,
    pytest.mark.skipif(
        "RSTAR_TEST_GPU_BENCHMARK" not in os.environ, reason="needs RSTAR_TEST_GPU_BENCHMARK=1"
    ),
]

PARTS = ("answers", "search", "barrier", "sharing", "cache_off", "sharding", "seeds")
PATIENCE = ("--patience", "10", "--limit", "3000")


def test_all_parts_but_those_for_cuda_come_to_their_end_without_a_card(tmp_path: Path) -> None:
    servers = ("--launch", LAUNCH, "--port", str(free_port()), "--base", "demo")
    command = [sys.executable, "-m", "benchmarks.gpu", *PARTS, *servers, *PATIENCE]
    command += ["--short", "--json", "--keep", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    document = msgspec.json.decode(done.stdout, type=Document)
    assert all(claim.holds for claim in document.claims)
    assert {row["part"] for row in document.rows} >= {*PARTS}
    assert {"part": "seeds", "figure": "needs a card", "value": 0.0, "unit": "s"} in document.rows
