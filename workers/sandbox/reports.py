"""Reads the report of a confined process, which the program in it may have written itself.

Every field is bounded, and fits the request, before anything uses it.
"""

from collections.abc import Sequence

from workers.sandbox import policy
from workers.sandbox.inside.frames import KIND_CHARACTERS, Report, unpack_report


def read_report(nonce: bytes, frame: bytes, steps: Sequence[str], first: int) -> Report | None:
    """The report on `steps`, number `first` and following; None if it cannot be one."""
    report = unpack_report(nonce, frame)
    if report is None:
        return None
    fits = _is_success(report) if report.ok else _is_failure_of(report, steps, first)
    return report if fits else None


def _is_success(report: Report) -> bool:
    place = (report.step, report.line, report.kind)
    return place == (-1, 0, "") and len(report.text) <= policy.VALUE_CHARACTERS


def _is_failure_of(report: Report, steps: Sequence[str], first: int) -> bool:
    if report.ended or not first <= report.step < first + len(steps):
        return False
    return (
        0 <= report.line <= len(steps[report.step - first]) + 1
        and len(report.kind) <= KIND_CHARACTERS
        and len(report.text) <= policy.MESSAGE_CHARACTERS
    )
