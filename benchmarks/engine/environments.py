"""An environment for each rival, made on demand in a folder that is kept.

An environment is complete when it holds the list of what was installed; one with another list, or
with none because the installation was interrupted, is made anew.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

MARK = "installed.txt"
PATIENCE_SECONDS = 1800
LONGEST = 160


class Unavailable(Exception):
    """A rival cannot be measured here; says in one line why."""


def interpreter(
    folder: Path, name: str, packages: Sequence[str], unwanted: Sequence[str] = ()
) -> Path:
    """The interpreter of the environment `name`, which has `packages` and what they need, less what
    is `unwanted`; `Unavailable` if it cannot be had."""
    home = folder / name
    python, mark, wanted = home / "bin" / "python", home / MARK, "\n".join(packages)
    if mark.exists() and mark.read_text() == wanted:
        return python
    print(f"installing {' '.join(packages)} into {home}", file=sys.stderr, flush=True)
    mark.unlink(missing_ok=True)
    _run([sys.executable, "-m", "venv", "--clear", str(home)])
    _run([str(python), "-m", "pip", "install", "--quiet", "--quiet", *packages])
    if unwanted:
        _run([str(python), "-m", "pip", "uninstall", "--quiet", "--quiet", "--yes", *unwanted])
    mark.write_text(wanted)
    return python


def _run(command: list[str]) -> None:
    try:
        subprocess.run(
            command, check=True, timeout=PATIENCE_SECONDS, capture_output=True, text=True
        )
    except (subprocess.SubprocessError, OSError) as error:
        said = getattr(error, "stderr", None) or str(error)
        raise Unavailable(f"cannot be installed: {last_line(said)}") from error


def last_line(said: str) -> str:
    """What a process said last, for a cell of a table."""
    lines = [line for line in said.splitlines() if line.strip()]
    return shortened(lines[-1]) if lines else "it said nothing"


def shortened(text: str) -> str:
    """One line; of a long one the beginning and, since reasons come last, the end."""
    words = " ".join(text.split())
    return (
        words if len(words) <= LONGEST else f"{words[: LONGEST // 3]} ... {words[-LONGEST // 2 :]}"
    )
