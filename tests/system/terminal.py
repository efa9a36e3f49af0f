"""A terminal of 80 columns for a command: what stands on its screen in the end."""

import fcntl
import os
import pty
import re
import struct
import sys
import termios
from dataclasses import dataclass
from pathlib import Path

COLUMNS, LINES = 80, 40
_CONTROL = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\x1b[()][A-Z0-9]|\x1b[=>]")


@dataclass
class Ended:
    """`lines` are as wide as the program wrote them, however narrow the screen is."""

    code: int
    lines: list[str]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def rstar(*words: str, folder: Path) -> Ended:
    """Run one command of `rstar` in a new terminal, by the sources in `folder` if it is a clone."""
    pid, descriptor = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.environ.update(TERM="xterm-256color", OMP_NUM_THREADS="1")
        os.environ.pop("COLUMNS", None)
        if (folder / "rstar_async").is_dir():
            os.environ["PYTHONPATH"] = str(folder)
        os.execv(sys.executable, [sys.executable, "-m", "rstar_async.cli", *words])
    size = struct.pack("HHHH", LINES, COLUMNS, 0, 0)
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, size)
    written = _read_all(descriptor)
    _, status = os.waitpid(pid, 0)
    os.close(descriptor)
    return Ended(os.waitstatus_to_exitcode(status), screen(written.decode(errors="replace")))


def _read_all(descriptor: int) -> bytes:
    parts = []
    while True:
        try:
            part = os.read(descriptor, 65536)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        parts.append(part)
    return b"".join(parts)


def screen(text: str) -> list[str]:
    """The lines after all carriage returns, line ends, moves upwards and erasures."""
    lines, row, column, place = [""], 0, 0, 0
    while place < len(text):
        if control := _CONTROL.match(text, place):
            place = control.end()
            amount = int(control[1]) if (control[1] or "").isdigit() else 1
            if control[2] == "A":
                row = max(0, row - amount)
            elif control[2] == "K":
                lines[row] = "" if control[1] == "2" else lines[row][:column]
            continue
        character = text[place]
        place += 1
        if character == "\r":
            column = 0
        elif character == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        else:
            line = lines[row].ljust(column)
            lines[row] = line[:column] + character + line[column + 1 :]
            column += 1
    return [line.rstrip() for line in lines]
