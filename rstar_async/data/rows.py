"""What rows of a file are, and what becomes of those that cannot be used.

A reader passes each bad row, as a `BadInput` that begins with the row's place, to a function of its
caller and goes on with the next row if that returns.
"""

from collections.abc import Callable, Iterator
from typing import Any, NoReturn, TypeAlias

from rstar_async.errors import BadInput

Row: TypeAlias = dict[str, Any]
# Each row with its place, such as "problems.jsonl:3".
Rows: TypeAlias = Iterator[tuple[str, Row]]
OnBad: TypeAlias = Callable[[BadInput], None]

NAMED = 3


def refuse(error: BadInput) -> NoReturn:
    """What to do with a bad row if nothing else is wanted."""
    raise error


class BadRows:
    """The bad rows of one source: left out and counted, or named together in one error.

    `add` raises once enough are known to name; `refuse_any` raises for what was added, unless rows
    are to be left out.
    """

    def __init__(self, source: str, *, leave_out: bool) -> None:
        self.count = 0
        self._source = source
        self._leave_out = leave_out
        self._named: list[str] = []

    def add(self, error: BadInput) -> None:
        self.count += 1
        if len(self._named) < NAMED:
            self._named.append(self._shortened(str(error)))
        elif not self._leave_out:
            self.refuse_any()

    def refuse_any(self) -> None:
        if self.count and not self._leave_out:
            raise BadInput(f"{self.named()} (problems.skip_bad = true leaves such rows out)")

    def summary(self, used: int) -> str:
        """One line on what was left out."""
        rows = "row was" if self.count == 1 else "rows were"
        return f"{self._source}: {self.count:,} {rows} left out, {used:,} used: {self.named()}"

    def _shortened(self, reason: str) -> str:
        """Only the first names the source."""
        return reason.removeprefix(self._source).lstrip(",: ") if self._named else reason

    def named(self) -> str:
        more = ["and more"] if self.count > len(self._named) else []
        return "; ".join([*self._named, *more])
