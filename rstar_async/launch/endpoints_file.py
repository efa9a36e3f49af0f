"""`HOME/endpoints.json`: where the brokers of a run on several machines listen now.

The process that starts the brokers writes it once they have their ports, and removes it when they
stop. After the last round it stays and says so, and workers that joined leave. Only its owner may
read it.
"""

import contextlib
import os
import time
from pathlib import Path

import msgspec

from rstar_async.errors import BadInput
from rstar_async.launch.home import write_private
from rstar_async.launch.network import TCPEndpoints

NAME = "endpoints.json"


class RunEndpoints(msgspec.Struct, frozen=True):
    """`start` differs for every start of the brokers; `at` is None after the last round."""

    start: str
    at: TCPEndpoints | None = None


def write_endpoints(home: Path, endpoints: RunEndpoints) -> None:
    write_private(home / NAME, endpoints)


def touch_endpoints(home: Path) -> None:
    """Show that the brokers' supervisor lives."""
    with contextlib.suppress(OSError):
        os.utime(home / NAME)


def remove_endpoints(home: Path) -> None:
    (home / NAME).unlink(missing_ok=True)


def read_endpoints(home: Path) -> RunEndpoints | None:
    """None if no brokers listen; `BadInput` if the file is not one of ours."""
    try:
        return msgspec.json.decode((home / NAME).read_bytes(), type=RunEndpoints)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise BadInput(f"cannot read {home / NAME}: {error.strerror}") from None
    except msgspec.MsgspecError as error:
        raise BadInput(f"{home / NAME} is no file of endpoints: {error}") from None


class EndpointsWatch:
    """Looks at the file of one run again and again, and notices when its writer is dead: then the
    file no longer changes. Ages are from this machine's monotonic clock."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._written = -1
        self._changed_at = time.monotonic()

    def look(self) -> RunEndpoints | None:
        """What `read_endpoints` finds now."""
        found = read_endpoints(self._home)
        with contextlib.suppress(OSError):
            written = (self._home / NAME).stat().st_mtime_ns
            if written != self._written:
                self._written, self._changed_at = written, time.monotonic()
        return found

    @property
    def silent_seconds(self) -> float:
        """Since the file last changed, or since this watch began."""
        return time.monotonic() - self._changed_at
