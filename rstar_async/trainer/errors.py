"""The errors that end a training without a model."""

from collections.abc import Mapping
from typing import Any

from rstar_async.errors import RstarError


class Refused(RstarError):
    """The data teach nothing, or the trained model must not be used; `str()` says why, `metrics`
    has what was measured until then."""

    def __init__(self, reason: str, metrics: Mapping[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.metrics = dict(metrics or {})


class Stopped(RstarError):
    """The process was asked to stop; the training's last checkpoint, if any, is kept."""
