"""What all tests share: async tests run on trio, through anyio's plugin."""

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "trio"
