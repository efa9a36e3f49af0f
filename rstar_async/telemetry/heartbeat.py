"""This process's heartbeat: a file that it touches for as long as it is healthy.

A health check looks at the file's age; it needs neither a port nor a key nor an interpreter. Each
process decides what "healthy" means: a broker whose loop turns, a worker that its broker knows, a
coordinator whose database answers, a trainer that takes steps. One per process, like its log.
"""

import time
from pathlib import Path

import trio

from rstar_async.errors import BadInput

SECONDS = 1.0

_file: Path | None = None
_next = 0.0
_has_beaten = False


def begin(file: Path | None) -> None:
    """Beat there from now on, nowhere if None; `BadInput` if it cannot be written, or is a file
    with something in it."""
    global _file, _next, _has_beaten
    if file is not None:
        try:
            _remove_old(file)
        except OSError as error:
            raise BadInput(
                f"cannot write the heartbeat file {file}: {error.strerror}; "
                "choose another --heartbeat"
            ) from None
    _file, _next, _has_beaten = file, 0.0, False


def _remove_old(file: Path) -> None:
    """Remove what an earlier process left there. A heartbeat file is empty."""
    file.touch()
    if file.stat().st_size:
        raise BadInput(f"{file} is no heartbeat file: it is not empty; choose another --heartbeat")
    file.unlink()


def beat() -> None:
    """Touch the heartbeat file, at most once a second; cheap enough for every step of a loop."""
    global _next, _has_beaten
    _has_beaten = True
    if _file is not None and (now := time.monotonic()) >= _next:
        _file.touch()
        _next = now + SECONDS


def has_beaten() -> bool:
    """True once the process has been healthy: before that, it is starting."""
    return _has_beaten


async def keep() -> None:
    """Beat for as long as this loop turns, until cancelled."""
    while True:
        beat()
        await trio.sleep(SECONDS)
