"""How an engine can fail, and what each failure means for the request."""

from pathlib import Path

from rstar_async.errors import RstarError


class BadRequest(RstarError):
    """No engine could answer this request; sending it again cannot help."""


class ModelUnavailable(RstarError):
    """A model version cannot be served: names the folder and the reason. Retrying cannot help."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"model folder {folder}: {reason}")
        self.folder = folder
        self.reason = reason


class Interrupted(RstarError):
    """The engine dropped this request, through no fault of its own; sending it again may help."""


class EngineFailed(RstarError):
    """The engine cannot go on; its process should exit so that its work moves elsewhere."""


class Unreachable(EngineFailed):
    """No server accepts connections at the engine's address."""
