"""What all tests share: async tests run on trio, through anyio's plugin."""

import pytest
from hypothesis import HealthCheck, settings

# No test is about time: a loaded machine must not make a property fail.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "trio"
