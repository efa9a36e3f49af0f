"""What a part found: figures, some of them with a target. Written one by one, as they are found.

A part that fails or is killed has lost nothing that it had measured before.
"""

from pathlib import Path

import msgspec

from benchmarks.report import Comparison


class Finding(msgspec.Struct, frozen=True):
    """One figure; no value: it is not a number. Without a `comparison` it has no target."""

    figure: str
    value: float | str | None
    unit: str = ""
    comparison: Comparison | None = None
    target: float = 0.0


class Findings:
    """Appends to a file, a JSON document on each line; `on_card` says whether speed has targets."""

    def __init__(self, file: Path, on_card: bool) -> None:
        self._file = file
        self._on_card = on_card

    def note(self, figure: str, value: float | str, unit: str = "") -> None:
        """A figure without a target."""
        self._add(Finding(figure, value, unit))

    def claim(
        self, figure: str, value: float, unit: str, comparison: Comparison, target: float
    ) -> None:
        """A figure with a target that holds on every machine."""
        self._add(Finding(figure, float(value), unit, comparison, target))

    def claim_on_card(
        self, figure: str, value: float, unit: str, comparison: Comparison, target: float
    ) -> None:
        """A figure whose target is meant for a card; elsewhere it is noted."""
        if self._on_card:
            self.claim(figure, value, unit, comparison, target)
        else:
            self.note(figure, value, unit)

    def _add(self, finding: Finding) -> None:
        with self._file.open("ab") as file:
            file.write(msgspec.json.encode(finding) + b"\n")


def read_findings(file: Path) -> list[Finding]:
    """All whole lines: a part may have been killed while it wrote the last one."""
    if not file.exists():
        return []
    lines = file.read_bytes().split(b"\n")[:-1]
    return [msgspec.json.decode(line, type=Finding) for line in lines]
