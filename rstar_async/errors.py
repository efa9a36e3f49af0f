"""The exceptions that cross rooms.

`BadInput` is the only one a user should ever see as a single line: it names the thing that is
wrong and says what to do. Everything else is a bug or a dead peer.
"""


class RstarError(Exception):
    """Root of all errors raised on purpose."""


class BadInput(RstarError):
    """Something the user gave is wrong. The command line prints it and exits with code 2."""


class JobFailed(RstarError):
    """A job ended without a result: `kind` is error, dead, expired or cancelled."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail


class BrokerLost(RstarError):
    """The broker refused us or cannot be reached; `str()` says which and why."""
