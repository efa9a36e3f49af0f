"""How a training ends without a model."""

from collections.abc import Mapping
from typing import Any

from rstar_async.errors import RstarError


class Refused(RstarError):
    """Data that teach nothing, or a trained model that must not be used; `str()` says why,
    `metrics` what was measured before."""

    def __init__(self, reason: str, metrics: Mapping[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.metrics = dict(metrics or {})


class Stopped(RstarError):
    """The process was asked to end; a training's last checkpoint stays, if it has one."""
