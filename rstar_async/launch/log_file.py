"""The log of one process: a plain file that the process itself appends to.

Without a pipe, the launcher can neither block a process nor lose its last lines. In exchange, the
size is bounded from outside, by `trim`, which may lose the lines written at that moment.
"""

import contextlib
import os
import shutil
from pathlib import Path

LIMIT_BYTES = 16 * 1024 * 1024
TAIL_BYTES = 16 * 1024


class LogFile:
    """`NAME.log`, and `NAME.log.1` with what came before."""

    def __init__(self, folder: Path, name: str, limit_bytes: int = LIMIT_BYTES) -> None:
        self.path = folder / f"{name}.log"
        self.limit_bytes = limit_bytes

    def open(self) -> int:
        """Return a descriptor that appends, to be given to the process and then closed here.

        `FileNotFoundError` if the folder around the logs is gone: it is not made again.
        """
        self.path.parent.mkdir(exist_ok=True)
        return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def note(self, line: str) -> None:
        """Append a line of the launcher's own; a full disk costs the line, not the run."""
        with contextlib.suppress(OSError), open(self.open(), "wb") as stream:
            stream.write(f"{line}\n".encode())

    def trim(self) -> None:
        """Move what has grown past the limit aside, or drop it if the disk is full."""
        with contextlib.suppress(FileNotFoundError):
            if self.path.stat().st_size > self.limit_bytes:
                with contextlib.suppress(OSError):
                    shutil.copyfile(self.path, self.path.with_name(f"{self.path.name}.1"))
                os.truncate(self.path, 0)

    def last_lines(self, count: int) -> list[str]:
        """The last lines that are not blank, oldest first; none if there is no log."""
        try:
            with open(self.path, "rb") as stream:
                stream.seek(max(0, os.fstat(stream.fileno()).st_size - TAIL_BYTES))
                text = stream.read().decode(errors="replace")
        except OSError:
            return []
        return [line.rstrip() for line in text.splitlines() if line.strip()][-count:]
