"""A real sandbox for the tests of a file that do not need to break it.

For a file, not for all: no test can call `trio.run` while an async fixture is alive.
"""

from pathlib import Path

import pytest

from workers.sandbox import Limits, Options, open_sandbox

CORPUS = Path(__file__).parent / "corpus"


@pytest.fixture(scope="module")
async def sandbox(anyio_backend):
    async with open_sandbox(Options(slots=2, prestart=("plain", "sympy", "numpy"))) as sandbox:
        yield sandbox


@pytest.fixture
def tree(request, sandbox):
    yield request.node.name
    sandbox.end_tree(request.node.name)


@pytest.fixture
def quick():
    """Limits for programs that are meant to run into them."""
    return Limits(wall_seconds=1.0, cpu_seconds=0.5, memory_mib=256, output_bytes=4096)
