"""The parts in their order, what each needs, and how long each may take. Pure.

Order is by worth, since the last parts are those for which no time may be left.
"""

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple

from benchmarks.gpu.findings import Finding
from benchmarks.report import HOLDS, Report

Need = Literal["card", "sglang"]

NEEDS: Mapping[Need, str] = {"card": "needs a card", "sglang": "needs SGLang"}
DONE, READY = "done", "ready"
# With less than this left, a part is not begun.
LEAST_SECONDS = 15.0


class Part(NamedTuple):
    """A module of `benchmarks.gpu.parts`. `after` are the parts whose results it uses.

    A part that `stays` is ready when it says so; it runs on until the last part after it is over.
    """

    name: str
    seconds: float
    needs: tuple[Need, ...] = ()
    after: tuple[str, ...] = ()
    stays: bool = False


class Outcome(NamedTuple):
    """How a part ended, in words, and after how long."""

    part: Part
    said: str
    seconds: float
    findings: list[Finding]

    @property
    def is_failure(self) -> bool:
        """Whether it ended badly; a part that this machine cannot run has not."""
        return self.said not in (DONE, READY, *NEEDS.values())


PARTS = (
    Part("card", 30, ("card",)),
    Part("models", 90),
    Part("servers", 180, ("sglang",), ("models",), stays=True),
    Part("answers", 60, ("sglang",), ("servers",)),
    Part("search", 90, ("sglang",), ("servers",)),
    Part("barrier", 90, ("sglang",), ("servers", "search")),
    Part("sharing", 60, ("sglang",), ("servers",)),
    Part("whole_round", 210, ("sglang",)),
    Part("cache_off", 120, ("sglang",), ("search",)),
    Part("attention", 60, ("card",), ("models",)),
    Part("sharding", 45, (), ("models",)),
    Part("seeds", 90, ("card", "sglang"), ("models",)),
)


def obstacle(part: Part, has: Collection[Need], succeeded: Collection[str]) -> str | None:
    """Why the part cannot be run, in words; None if it can."""
    for need in part.needs:
        if need not in has:
            return NEEDS[need]
    missing = [name for name in part.after if name not in succeeded]
    return f"not run: it uses what {missing[0]} gives" if missing else None


def seconds_for(part: Part, left: float, patience: float = 1.0) -> float | None:
    """How long the part may take when `left` seconds are left for all; None if not worth it."""
    return None if left < LEAST_SECONDS else min(part.seconds * patience, left)


def last_user(parts: Collection[Part], resident: Part) -> str:
    """The last part that uses the one that stays; itself if there is none."""
    users = [part.name for part in parts if resident.name in part.after]
    return users[-1] if users else resident.name


def chosen(names: Collection[str]) -> list[Part]:
    """The parts of these names with all that they use, in order; all of them if none is named."""
    wanted = set(names) or {part.name for part in PARTS}
    for part in reversed(PARTS):
        if part.name in wanted:
            wanted |= set(part.after)
    return [part for part in PARTS if part.name in wanted]


def report_outcomes(report: Report, outcomes: Collection[Outcome]) -> None:
    """A row for each part and each figure; claims for the figures that have a target."""
    for outcome in outcomes:
        name = outcome.part.name
        report.row(part=name, figure=outcome.said, value=outcome.seconds, unit="s")
        for found in outcome.findings:
            report.row(part=name, figure=found.figure, value=found.value, unit=found.unit)
            _claim(report, name, found)
    failed = sum(outcome.is_failure for outcome in outcomes)
    report.claim("parts that failed", failed, "", "==", 0)


def _claim(report: Report, part: str, found: Finding) -> None:
    if found.comparison is None or isinstance(found.value, str):
        return
    assert found.comparison in HOLDS
    value = float("nan") if found.value is None else found.value
    figure = f"{part}: {found.figure}"
    report.claim(figure, value, found.unit, found.comparison, found.target)
