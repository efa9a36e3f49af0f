import json

import pytest

from rstar_async.config import ProblemsConfig
from rstar_async.data.files import read_rows
from rstar_async.data.problems import problems_in
from rstar_async.data.writing import write_rows
from rstar_async.errors import BadInput

ROWS = [
    {"question": "What is 1 + 1?", "answer": "2", "level": 1},
    {"question": "Half of \u221a2, \u00bd and\nanother line", "answer": "\\frac{1}{2}", "level": 2},
]
OUTS = ["rows.jsonl", "rows.json", "rows.parquet", "rows"]


@pytest.mark.parametrize("name", OUTS)
def test_rows_are_read_as_they_were_written(tmp_path, name):
    assert write_rows(tmp_path / name, iter(ROWS)) == 2
    assert [row for _, row in read_rows(tmp_path / name)] == ROWS
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", OUTS)
def test_writing_again_replaces_the_file_when_told_to(tmp_path, name):
    write_rows(tmp_path / name, ROWS)
    with pytest.raises(BadInput, match="--overwrite"):
        write_rows(tmp_path / name, ROWS[:1])
    assert [row for _, row in read_rows(tmp_path / name)] == ROWS
    write_rows(tmp_path / name, ROWS[:1], overwrite=True)
    assert [row for _, row in read_rows(tmp_path / name)] == ROWS[:1]


@pytest.mark.parametrize("name", OUTS)
def test_a_failure_leaves_the_old_file_and_no_draft(tmp_path, name):
    write_rows(tmp_path / name, ROWS)

    def rows():
        yield ROWS[0]
        raise BadInput("row 2 is none")

    with pytest.raises(BadInput):
        write_rows(tmp_path / name, rows(), overwrite=True)
    assert [row for _, row in read_rows(tmp_path / name)] == ROWS
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_a_folder_that_was_not_exported_here_is_never_replaced(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("keep")
    with pytest.raises(BadInput, match="not exported here"):
        write_rows(tmp_path / "thesis", ROWS, overwrite=True)
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "keep"
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis"]


def test_a_file_of_another_kind_is_never_replaced(tmp_path):
    (tmp_path / "notes").write_text("keep")
    with pytest.raises(BadInput, match="no file of rows"):
        write_rows(tmp_path / "notes", ROWS, overwrite=True)
    assert (tmp_path / "notes").read_text() == "keep"


def test_more_rows_than_a_batch_survive_parquet(tmp_path):
    rows = [{"n": n, "text": str(n)} for n in range(2500)]
    assert write_rows(tmp_path / "many.parquet", iter(rows)) == 2500
    assert [row for _, row in read_rows(tmp_path / "many.parquet")] == rows


def test_a_lone_surrogate_can_be_exported(tmp_path):
    for name in OUTS:
        write_rows(tmp_path / name, [{"text": "half \ud800"}])
        ((_, row),) = read_rows(tmp_path / name)
        assert row["text"].startswith("half ")


def test_columns_are_mapped_in_every_container(tmp_path):
    rows = [{"problem": "What is 2 + 2?", "solution": "so\n#### 4"}]
    settings = ProblemsConfig(question="problem", answer="solution")
    for name in OUTS:
        write_rows(tmp_path / name, rows)
        (found,) = problems_in("run", str(tmp_path / name), settings, "train")
        assert (found.question, found.answer, found.source) == ("What is 2 + 2?", "4", name)


def test_a_data_set_of_files_is_read_like_one_of_the_hub(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    (tmp_path / "set").mkdir()
    file = tmp_path / "set" / "train.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    found = list(read_rows(f"hf:{tmp_path / 'set'}@train"))
    assert [row for _, row in found] == ROWS
    assert found[1][0].endswith("@train, row 2")


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.jsonl", b'{"question": 1}\n{"quest', "a.jsonl:2: not JSON"),
        ("a.jsonl", b"[1]\n", "a.jsonl:1: expected an object"),
        ("a.jsonl", b'{"q": "\xff"}\n', "is not UTF-8 text"),
        ("a.json", b'{"rows": []}', "expected a list of problems"),
        ("a.parquet", b"PAR1 no", "cannot read problems from"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, name, content, complaint):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=complaint):
        list(read_rows(tmp_path / name))


def test_an_unknown_container_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(BadInput, match=r"write \.jsonl, \.json, \.parquet"):
        write_rows(tmp_path / "rows.csv", ROWS)
    assert not list(tmp_path.iterdir())


def test_a_folder_without_a_dataset_is_named(tmp_path):
    with pytest.raises(BadInput, match="no dataset that `datasets` has saved"):
        list(read_rows(tmp_path))
