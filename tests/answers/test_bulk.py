import json
import os
from pathlib import Path

import pytest

from rstar_async.answers.bulk import verify_file
from rstar_async.errors import BadInput

PAIRS = [
    {"gold": r"\frac12", "pred": "0.5", "equal": True, "src": "numbers"},
    {"gold": "50", "pred": "0.5", "equal": False, "src": "numbers"},
    {"gold": "7", "pred": "7", "equal": False, "src": "mislabelled"},
    {"gold": "7", "pred": 7},
]


def test_report_counts_agreement_by_source(tmp_path: Path):
    path = tmp_path / "pairs.json"
    path.write_text(json.dumps(PAIRS))
    report = verify_file(path)
    assert report.verdicts == ["equal", "different", "equal", "equal"]
    assert report.total.labelled == 3
    assert report.total.agreement == pytest.approx(2 / 3)
    assert report.total.precision == 0.5
    assert report.total.recall == 1.0
    assert report.by_source["numbers"].agreement == 1.0
    assert [d.index for d in report.disagreements] == [2]


def test_json_lines_are_read(tmp_path: Path):
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(json.dumps(pair) for pair in PAIRS) + "\n\n")
    assert verify_file(path).total.pairs == 4


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[1", "not JSON"),
        ('[{"gold": "1"}]', "entry 0: pred must be a string"),
        ('[{"gold": "1", "pred": "1"}, 5]', "entry 1"),
        ('{"gold": "1", "pred": "1"}\n{"gold": null, "pred": "1"}', "line 2: gold"),
        ('{"gold": "1", "pred": "1", "equal": "yes"}', "line 1: equal"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_bad_file_is_named_with_its_entry(tmp_path: Path, text: str, named: str):
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(BadInput, match=named) as caught:
        verify_file(path)
    assert str(path) in str(caught.value)


def test_a_missing_or_binary_file_is_named(tmp_path: Path):
    with pytest.raises(BadInput, match="absent"):
        verify_file(tmp_path / "absent.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="binary"):
        verify_file(tmp_path / "binary.json")


def test_agreement_on_the_shared_pairs():
    folder = os.environ.get("RSTAR_BENCHMARK_DATA")
    if not folder:
        pytest.skip("RSTAR_BENCHMARK_DATA (folder of benchmark data) is not set")
    report = verify_file(Path(folder) / "answer_pairs" / "pairs.json", seconds=30)
    assert report.total.agreement is not None
    assert report.total.agreement >= 0.998
    assert report.total.precision is not None
    assert report.total.precision >= 0.998
