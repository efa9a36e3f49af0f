"""Every field of every file of rows, with everything that a foreign file may hold there.

Each row is read, so that its texts can be encoded, or refused in one line that names its place.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict

import msgspec
import pytest

from rstar_async.answers.pairs import read_pairs
from rstar_async.config import ProblemsConfig, Recipe
from rstar_async.config.loader import changed
from rstar_async.data.files import read_rows
from rstar_async.data.problems import problems_in
from rstar_async.data.reference import nodes_of_record
from rstar_async.data.solved_examples import solved_examples
from rstar_async.data.training_rows import read_row
from rstar_async.errors import BadInput

MARK = '"@"'
DEEP = "[" * 100_000 + "]" * 100_000
# As JSON spells them, so that they also are what no JSON writer would write.
ODD = {
    "half a character": '"half \\ud83d of one"',
    "half a character as a key": '{"\\udc80": "\\ud800"}',
    "NUL": '"a\\u0000b"',
    "a turn of the writing": '"a \\u202e b"',
    "ten megabytes": json.dumps("x" * 10_000_000),
    "null": "null",
    "NaN": "NaN",
    "infinity": "1e999",
    "5,000 digits": "1" * 5_000,
    "a great depth": DEEP,
    "a depth that is just read": "[" * 600 + "1" + "]" * 600,
    "true": "true",
    "a list of several": '["1", "2"]',
    "an empty list": "[]",
    "an object": '{"value": "15"}',
    "an empty text": '""',
    "blanks": '" \\t\\n "',
    "below zero": "-1",
    "2^63": str(2**63),
    "a program of brackets": json.dumps(f"print({'(' * 5_000})"),
    "a deep sum": json.dumps(f"print({'+' * 100_000}1)"),
}
NODE = {"text": "t", "visit_count": 1, "q_value": 1.0, "final_answer": "", "observation": "o"}
TURN = {"role": "user", "content": "q"}
REPLY = {"role": "assistant", "content": "a"}


def problem(file) -> list[object]:
    return [asdict_of(p) for p in problems_in("run", str(file), ProblemsConfig(), "train")]


def training(file) -> list[object]:
    return [asdict(row) for row in (read_row(row, where) for where, row in read_rows(file)) if row]


def trees(file) -> list[object]:
    found = [nodes_of_record(row, "s", where) for where, row in read_rows(file)]
    return [asdict_of(node) for nodes in found for node in nodes]


def pairs(file) -> list[object]:
    return [pair._asdict() for pair in read_pairs(file)]


def examples(file) -> list[object]:
    settings = [("bootstrap.kind", "demonstrations"), ("bootstrap.source", str(file))]
    return [found._asdict() for found in solved_examples(changed(Recipe(), settings))]


def asdict_of(record) -> object:
    return msgspec.structs.asdict(record)


READERS = {
    "problems": (problem, {"question": "q", "answer": "1", "level": "2", "type": "t"}),
    "query and response": (training, {"query": "q", "response": "r"}),
    "prompt and completion": (training, {"prompt": "p", "completion": "c"}),
    "pos and neg": (
        training,
        {"prompt": "p", "pos": "a", "neg": "b", "pos_count": 1, "neg_count": 2},
    ),
    "chosen and rejected": (training, {"prompt": "p", "chosen": "a", "rejected": "b"}),
    "messages": (training, {"messages": [TURN, REPLY]}),
    "conversations": (training, {"prompt": [TURN], "completion": [REPLY]}),
    "trees": (trees, {"question": "q", "answer": "1", "rstar": {"0": NODE, "0.1": NODE}}),
    "solved examples": (examples, {"question": "q", "answer": "1", "program": "x = 1\nprint(x)"}),
    "pairs": (pairs, {"gold": "1", "pred": "2", "equal": True, "src": "s"}),
}


def marked(value: object) -> Iterator[object]:
    """The value with the mark in the place of each of its parts, one at a time."""
    yield "@"
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from ({**value, key: one} for one in marked(inner))
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from ([*value[:n], one, *value[n + 1 :]] for one in marked(inner))


CASES = [(reader, odd) for reader in READERS for odd in ODD]


@pytest.mark.parametrize(("reader", "odd"), CASES, ids=str)
def test_every_field_takes_it_or_names_the_row(tmp_path, reader, odd):
    read, row = READERS[reader]
    good = json.dumps(row)
    for number, one in enumerate(marked(row)):
        file = tmp_path / f"{number}.jsonl"
        file.write_text(f"{good}\n{json.dumps(one).replace(MARK, ODD[odd])}\n", encoding="utf-8")
        try:
            found = read(file)
        except BadInput as refused:
            said = str(refused)
            assert f"{file}:2" in said or f"{file}: line 2" in said
            assert "\n" not in said
            assert len(said) < 1_000
        else:
            assert found
            json.dumps(found, ensure_ascii=False).encode()
        file.unlink()


@pytest.mark.parametrize("container", ["csv", "tsv", "parquet", "json", "jsonl", "ndjson"])
def test_odd_texts_survive_in_every_container(tmp_path, container):
    texts = ["NUL \0 inside", "turned \u202e round", "\N{GRINNING FACE} whole", "x" * 90_000]
    rows = [{"question": text, "answer": "1"} for text in texts]
    file = tmp_path / f"rows.{container}"
    write(file, rows)
    found = problems_in("run", str(file), ProblemsConfig(), "train")
    assert [p.question for p in found] == texts


def write(file, rows) -> None:
    if file.suffix == ".parquet":
        arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        parquet.write_table(arrow.Table.from_pylist(rows), file)
    elif file.suffix in (".csv", ".tsv"):
        comma = "," if file.suffix == ".csv" else "\t"
        lines = [comma.join(f'"{cell}"' for cell in row.values()) for row in rows]
        file.write_text("\n".join([comma.join(rows[0]), *lines]), encoding="utf-8")
    elif file.suffix == ".json":
        file.write_text(json.dumps(rows))
    else:
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.mark.parametrize("container", ["csv", "tsv", "json", "jsonl"])
def test_a_byte_order_mark_is_passed_over(tmp_path, container):
    file = tmp_path / f"rows.{container}"
    write(file, [{"question": "1 + 1?", "answer": "2"}])
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    (found,) = problems_in("run", str(file), ProblemsConfig(), "train")
    assert (found.question, found.answer) == ("1 + 1?", "2")
    file.write_bytes(file.read_text("utf-8-sig").encode("utf-16"))
    with pytest.raises(BadInput, match="is UTF-16 text: save it as UTF-8"):
        problems_in("run", str(file), ProblemsConfig(), "train")


@pytest.mark.parametrize("container", ["csv", "json", "jsonl"])
def test_a_hundred_thousand_columns_are_not_listed(tmp_path, container):
    names = [f"c{n}" for n in range(100_000)]
    file = tmp_path / f"rows.{container}"
    row = json.dumps(dict.fromkeys(names, 1))
    content = {"csv": f"{','.join(names)}\n{',' * 99_999}\n", "json": f"[{row}]", "jsonl": row}
    file.write_text(content[container])
    with pytest.raises(BadInput, match=r"no column 'question'.* and 99,992 more") as refused:
        problems_in("run", str(file), ProblemsConfig(), "train")
    assert len(str(refused.value)) < 1_000


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("question,answer\n1+1?,2,3\n", r"rows\.csv:2: 3 values for 2 columns"),
        ("question,answer\n1+1?\n", r"rows\.csv:2: 1 values for 2 columns"),
        ("question,answer,answer\na,b,c\n", r"rows\.csv:1: several columns are named 'answer'"),
        ('question,answer\n"open,2\n', r"rows\.csv:2: unexpected end of data"),
        ("question,answer\na,\n", r"rows\.csv:2: column 'answer' is empty"),
        ("question;answer\na;b\n", r"no column 'question'; it has 'question;answer'"),
        ("question,answer\n", r"rows\.csv holds no problems"),
        ("", r"rows\.csv holds no problems"),
    ],
)
def test_a_table_that_is_not_as_it_should_be_is_named(tmp_path, content, complaint):
    (tmp_path / "rows.csv").write_text(content)
    with pytest.raises(BadInput, match=complaint):
        problems_in("run", str(tmp_path / "rows.csv"), ProblemsConfig(), "train")


def test_bytes_that_are_no_text_are_named_by_row(tmp_path):
    (tmp_path / "rows.csv").write_bytes(b"question,answer\na,1\nb\xff,2\n")
    with pytest.raises(BadInput, match=r"rows\.csv:3: it is not UTF-8 text"):
        problems_in("run", str(tmp_path / "rows.csv"), ProblemsConfig(), "train")


def test_a_cell_may_have_several_lines(tmp_path):
    (tmp_path / "rows.csv").write_text('question,answer\n"two\nlines",2\nc,x\n')
    found = problems_in("run", str(tmp_path / "rows.csv"), ProblemsConfig(), "train")
    assert [p.question for p in found] == ["two\nlines", "c"]


@pytest.mark.parametrize("name", ["rows.xlsx", "rows.txt", "rows.jsonl.gz", "rows.pkl"])
def test_what_cannot_be_read_names_what_can(tmp_path, name):
    (tmp_path / name).write_bytes(b"anything")
    formats = r"\.jsonl, \.ndjson, \.json, \.csv, \.tsv, \.parquet.*saved dataset.*hf:NAME"
    with pytest.raises(BadInput, match=formats):
        read_rows(tmp_path / name)
