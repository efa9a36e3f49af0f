"""The card, by nvidia-smi and torch."""

import subprocess
from typing import NamedTuple

from rstar_async.errors import RstarError

MIB = 1024**2
FIELDS = "name,driver_version,memory.total,memory.used"


class Card(NamedTuple):
    """Memory in MiB, that of all processes."""

    name: str
    driver: str
    total: float
    used: float


def card_now() -> Card:
    """The first card that nvidia-smi lists; `RstarError` without one."""
    command = ["nvidia-smi", "--id=0", f"--query-gpu={FIELDS}", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError) as error:
        raise RstarError(f"nvidia-smi does not answer: {error}") from error
    return parse_card(said.stdout)


def parse_card(line: str) -> Card:
    """A line of nvidia-smi's, as `FIELDS` asks for it."""
    try:
        name, driver, total, used = (word.strip() for word in line.strip().split(","))
        return Card(name, driver, float(total), float(used))
    except ValueError:
        raise RstarError(f"nvidia-smi answers {line.strip()!r}") from None
