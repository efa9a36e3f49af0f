"""A report is believed only if every field of it fits the request."""

import pytest

from workers.sandbox import policy
from workers.sandbox.inside.frames import Report, pack_report
from workers.sandbox.reports import read_report

NONCE = b"n" * 16
STEPS = ["x = 1\n1 / 0", "x"]  # number 3 and 4 of their program
FAILURE = Report(False, False, 3, 2, "ZeroDivisionError", "division by zero")
SUCCESS = Report(True, False, -1, 0, "", "[1, 2]")


def read(report, nonce=NONCE, change=lambda frame: frame):
    return read_report(NONCE, change(pack_report(nonce, report)), STEPS, 3)


@pytest.mark.parametrize(
    "report",
    [
        FAILURE,
        SUCCESS,
        Report(True, True, -1, 0, "", ""),
        Report(True, False, -1, 0, "", "∑" * policy.VALUE_CHARACTERS),
        Report(False, False, 4, 0, "", "∑" * policy.MESSAGE_CHARACTERS),
        FAILURE._replace(kind="K" * 200, line=len(STEPS[0]) + 1),
    ],
)
def test_a_true_report_is_read(report):
    assert read(report) == report


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "K" * 201},
        {"text": "t" * (policy.MESSAGE_CHARACTERS + 1)},
        {"step": 2},
        {"step": 5},
        {"step": -1},
        {"step": 2**31 - 1},
        {"line": -1},
        {"line": len(STEPS[0]) + 2},
        {"line": 2**31 - 1},
        {"ended": True},
    ],
)
def test_a_failure_with_a_field_out_of_bounds_is_no_report(fields):
    assert read(FAILURE._replace(**fields)) is None


@pytest.mark.parametrize(
    "fields",
    [{"text": "t" * (policy.VALUE_CHARACTERS + 1)}, {"step": 3}, {"line": 1}, {"kind": "Error"}],
)
def test_a_success_with_a_field_out_of_bounds_is_no_report(fields):
    assert read(SUCCESS._replace(**fields)) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame[:-1],
        lambda frame: frame + b"x",
        lambda frame: frame[:16] + b"\x02" + frame[17:],  # neither ok nor not
        lambda frame: frame[:17] + b"\xff" + frame[18:],
        lambda frame: frame[:-1] + b"\xff",  # no text
        lambda frame: b"",
    ],
)
def test_other_bytes_are_no_report(change):
    assert read(SUCCESS, change=change) is None


def test_a_report_without_the_nonce_is_none():
    assert read(SUCCESS, nonce=b"m" * 16) is None


def test_the_longest_report_fits_into_one_message():
    longest = Report(True, False, -1, 0, "", "\U0001f9ee" * policy.VALUE_CHARACTERS)
    assert len(pack_report(NONCE, longest)) < policy.FRAME_BYTES
