import random
from collections.abc import Callable

import pytest

from tests.workers.engines.fixtures import models_dir

__all__ = ["models_dir", "tokens"]


@pytest.fixture
def tokens() -> Callable[[int], list[int]]:
    """Random token ids, the same in every run."""
    from tests.workers.engines.tiny import VOCABULARY

    source = random.Random(7)
    return lambda count: [source.randrange(VOCABULARY) for _ in range(count)]
