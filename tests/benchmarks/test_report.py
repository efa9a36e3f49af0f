import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from benchmarks.__main__ import Result, names, page
from benchmarks.report import Document, open_report, show


def example(arguments: list[str], rate: float) -> int:
    report = open_report("How fast.\n\nDetails.", arguments)
    report.row(workers=1, rate=rate)
    report.row(workers=2, rate=2 * rate, note="better")
    report.claim("rate of one", rate, "jobs/s", ">=", 100)
    return report.close()


def test_the_document_has_the_machine_all_rows_and_all_claims(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert example(["--json"], 150.0) == 0
    document = json.loads(capsysbinary.readouterr().out)
    assert document["rows"][1] == {"workers": 2, "rate": 300.0, "note": "better"}
    claim = {"name": "rate of one", "value": 150.0, "unit": "jobs/s", "target": ">= 100"}
    assert document["claims"] == [{**claim, "holds": True}]
    assert document["machine"]["cores"] >= 1
    assert document["machine"]["versions"]["trio"]


def test_a_claim_that_does_not_hold_is_an_exit_code_and_a_word(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert example([], 50.0) == 1
    assert "NO" in capsys.readouterr().out


def test_a_claim_about_nothing_a_number_does_not_hold() -> None:
    report = open_report("", ["--json"])
    report.claim("share", float("nan"), "", ">=", 0)
    assert not report.claims[0].holds


def test_the_page_shows_what_ran_and_what_did_not(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    example(["--json"], 150.0)
    document = msgspec.json.decode(capsysbinary.readouterr().out, type=Document)
    text = page([Result("speed", 0, document), Result("broken", 1, None, "no such broker")])
    assert "| rate of one | 150 | jobs/s | >= 100 | yes |" in text
    assert "| 2 | 300 | better |" in text
    assert "`python -m benchmarks.broken --short` failed: no such broker" in text


def test_every_benchmark_takes_the_common_options() -> None:
    for name in names():
        command = [sys.executable, "-m", f"benchmarks.{name}", "--help"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
        assert "--json" in done.stdout
        assert "--short" in done.stdout


def test_figures_are_short_and_large_ones_are_grouped() -> None:
    assert [show(v) for v in (None, True, 0.123456, 12345.6, 7, 1234567, "a")] == [
        *("", "yes", "0.1235", "12,346", "7", "1,234,567", "a")
    ]


ROOT = Path(__file__).parents[2]
