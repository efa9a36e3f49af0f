import os
from collections.abc import Iterator

import pytest

from tests.slurm.cluster import SlurmCluster, missing_programs


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmCluster]:
    """Three nodes, for all tests of a session: each leaves them idle."""
    if not os.environ.get("RSTAR_TEST_SLURM"):
        pytest.skip("RSTAR_TEST_SLURM=1 lets these tests start a Slurm of their own")
    if missing := missing_programs():
        pytest.skip(f"no Slurm here: {', '.join(missing)} not found; Debian: slurm-wlm, munge")
    with SlurmCluster(tmp_path_factory.mktemp("slurm") / "cluster").up() as running:
        yield running
