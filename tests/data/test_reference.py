"""The reference's files: written and read back, and what their records must look like."""

import json

import pytest

from rstar_async.cli.main import main
from rstar_async.data.reference import (
    NO_VALID_CHILD,
    TOO_MANY_CODE_ERRORS,
    TOO_MANY_STEPS,
    nodes_of_record,
    tree_record,
)
from rstar_async.data.schemas import WRITERS, Comparison, Solution
from rstar_async.data.training_rows import read_row
from rstar_async.errors import BadInput
from rstar_async.text.prompts import MATH_PROMPTS
from storage.database import open_database
from storage.records import ModelVersion, Node, Pair, Problem, Round, Run, Search

QUESTION, GOLD = "What is 3 + 4?", "7"
STEP = "<code>\n# Step 1: add\nx = 3 + 4\n<end_of_step>"
WRONG_STEP = "<code>\n# Step 1: multiply\nx = 3 * 4\n<end_of_step>"
LAST = "\n# Now print the final answer\nprint(x)\n<end_of_code>"


def node(path: str, status: str, text: str = "", **facts: object) -> Node:
    expansion, observation = facts.pop("expansion", 1), facts.pop("observation", "")
    place = ("s1", path, expansion, path.count("."))
    facts = {"visits": 1, "value_sum": 1.0, **facts}
    return Node(*place, text, observation, (), (), status, **facts)  # type: ignore[arg-type]


def answer(path: str, number: int, *, correct: bool) -> Node:
    q = 1.0 if correct else -1.0
    text = f"\n<answer>\\boxed{{{number}}}<end_of_answer>"
    return node(path, "answer", text, answer=str(number), correct=correct, value_sum=q, expansion=4)


NODES = [
    node("0", "root", visits=2, value_sum=0.0, expansion=0),
    node("0.1", "live", STEP, exec_status="ok", prior=0.25),
    node("0.2", "live", WRONG_STEP, value_sum=-1.0, exec_status="ok"),
    node("0.3", "code_error", "<code>\ny\n<end_of_step>", value_sum=-1.0, exec_status="exception",
         exec_error="NameError: name 'y' is not defined"),
    node("0.4", "unfinished", "<code>\n# and so on", value_sum=-1.0),
    node("0.1.1", "live", LAST, observation="\n<output>7<end_of_output>", exec_status="ok",
         stdout="7\n", expansion=2),
    node("0.2.1", "live", LAST, observation="\n<output>12<end_of_output>", value_sum=-1.0,
         exec_status="ok", stdout="12\n", expansion=3),
    node("0.2.2", "too_deep", STEP, value_sum=-1.0, expansion=3),
    answer("0.1.1.1", 7, correct=True),
    answer("0.2.1.1", 12, correct=False),
]  # fmt: skip


def test_a_record_has_the_fields_and_sentences_of_the_reference():
    record = tree_record(QUESTION, GOLD, NODES)
    tree = record["rstar"]
    assert (record["question"], record["answer"]) == (QUESTION, GOLD)
    assert tree["0"]["extra_info"] == f"question: {QUESTION}"
    assert tree["0.1"]["action"] == "python_interpreter"
    assert (tree["0.1"]["value"], tree["0.1"]["q_value"], tree["0.1"]["visit_count"]) == (
        0.25,
        1.0,
        1,
    )
    assert tree["0.1.1"]["text"] == LAST + "\n<output>7<end_of_output>"
    assert tree["0.1.1.1"]["final_answer"] == "7"
    assert tree["0.3"]["final_answer"] == TOO_MANY_CODE_ERRORS
    assert tree["0.3"]["text"].endswith(
        "<end_of_step><end_of_code>\n<output>NameError: name 'y' is not defined<end_of_output>"
    )
    assert tree["0.4"]["final_answer"] == NO_VALID_CHILD
    assert tree["0.2.2"]["final_answer"] == TOO_MANY_STEPS


def test_a_tree_read_back_is_the_tree_that_was_written():
    record = json.loads(json.dumps(tree_record(QUESTION, GOLD, NODES)))
    found = {n.path: n for n in nodes_of_record(record, "s1", "here")}
    kept = ("text", "observation", "status", "answer", "correct", "visits", "value_sum", "depth")
    for written in NODES:
        read = found[written.path]
        assert {k: getattr(read, k) for k in kept} == {k: getattr(written, k) for k in kept}
        assert read.exec_error == written.exec_error
    assert tree_record(QUESTION, GOLD, found.values())["rstar"].keys() == record["rstar"].keys()
    again = tree_record(QUESTION, GOLD, found.values())["rstar"]
    assert all(again[tag]["text"] == entry["text"] for tag, entry in record["rstar"].items())


@pytest.mark.parametrize(
    ("tree", "complaint"),
    [
        ({}, 'no tree with a root "0"'),
        ({"0": {}, "0.1": {}}, "not as the reference writes it"),
        ({"0": {}, "x.1": {}}, "is no tag of a node"),
    ],
)
def test_a_record_without_a_tree_is_named(tree, complaint):
    with pytest.raises(BadInput, match=complaint):
        nodes_of_record({"rstar": tree}, "s1", "trees.jsonl:3")


def test_a_node_without_a_parent_is_named():
    record = tree_record(QUESTION, GOLD, NODES)
    del record["rstar"]["0.1"]
    with pytest.raises(BadInput, match=r"line 3: node 0\.1\.1 has no parent 0\.1"):
        nodes_of_record(record, "s1", "line 3")


@pytest.mark.parametrize("wanted", ["sft", "messages", "prompt-completion"])
def test_a_solution_written_as_anything_is_read_as_itself(wanted):
    found = Solution(QUESTION, STEP)
    _, write = WRITERS[wanted]
    assert read_row(write(found), "row 1") == found


def test_a_comparison_keeps_its_counts_in_the_reference_format():
    found = Comparison("p", "good", "bad", 1, 4)
    assert read_row(WRITERS["ppm"][1](found), "row 1") == found
    assert read_row(WRITERS["preferences"][1](found), "row 1") == Comparison("p", "good", "bad")


def test_a_row_of_an_unknown_format_is_none():
    assert read_row({"text": "?"}, "row 1") is None


@pytest.fixture
def store(tmp_path):
    home = tmp_path / "run"
    home.mkdir()
    with open_database(str(home / "rstar.db")) as database:
        database.commit(
            Run("run", {}, 1, "0.1"),
            Problem("p1", "run", QUESTION, GOLD, "sums", "1"),
            Round("run", 1, "closed", "policy"),
            Search("s1", "run", 1, "p1", "train", 1, "policy", status="finished", solved=True),
            ModelVersion("policy", "run", "policy", 1, None, "", "published"),
            *NODES,
            Pair("run", 1, "s1", "0.1", "0.2", "step", 1.0),
            Pair("run", 1, "s1", "0.1.1.1", "0.2.1.1", "trajectory", 1.0),
        )
    return home


def export(source, out, wanted):
    assert main(["export", str(source), str(out), "--as", wanted, "--overwrite"]) == 0
    return [json.loads(line) for line in out.read_text().splitlines()]


SOLUTION = f"{STEP}{LAST}\n<output>7<end_of_output>\n<answer>\\boxed{{7}}<end_of_answer>"


def test_a_run_is_exported_in_every_format(store, tmp_path):
    out = tmp_path / "out.jsonl"
    assert export(store, out, "sft") == [{"query": QUESTION, "response": SOLUTION}]
    ((user, assistant),) = [row["messages"] for row in export(store, out, "messages")]
    assert (user["content"], assistant["content"]) == (QUESTION, SOLUTION)
    (row,) = export(store, out, "prompt-completion")
    assert row == {"prompt": MATH_PROMPTS.around(QUESTION), "completion": SOLUTION}
    (row,) = export(store, out, "problems")
    assert row == {"question": QUESTION, "answer": GOLD, "level": "1", "type": "sums"}
    (row,) = export(store, out, "trees")
    assert row == json.loads(json.dumps(tree_record(QUESTION, GOLD, NODES)))


def test_pairs_are_exported_as_the_reference_has_them(store, tmp_path):
    step, whole = sorted(export(store, tmp_path / "out.jsonl", "ppm"), key=lambda r: len(r["pos"]))
    assert step["prompt"] == MATH_PROMPTS.around(QUESTION)
    assert (step["pos"], step["neg"]) == (STEP, WRONG_STEP)
    assert (step["pos_count"], step["neg_count"]) == (1, 1)
    assert whole["prompt"] == f"<|user|>:\n{QUESTION}"
    assert whole["pos"].startswith("\n<|assistant|>: Let's think step by step")
    assert whole["pos"].endswith(SOLUTION)
    assert whole["neg"].endswith("\\boxed{12}<end_of_answer>")
    for row, own in zip(
        sorted(export(store, tmp_path / "o.jsonl", "preferences"), key=lambda r: len(r["chosen"])),
        (step, whole),
        strict=True,
    ):
        assert row == {"prompt": own["prompt"], "chosen": own["pos"], "rejected": own["neg"]}


def test_imported_trees_give_the_same_solutions_and_pairs(store, tmp_path, capsys):
    trees = tmp_path / "trees.jsonl"
    export(store, trees, "trees")
    for _ in range(2):  # a second import changes nothing
        assert main(["import", str(trees), str(tmp_path / "imported")]) == 0
        assert "1 trees with 10 nodes, 2 preference pairs" in capsys.readouterr().out
    for wanted in ("sft", "ppm"):
        ours = export(store, tmp_path / "ours.jsonl", wanted)
        theirs = export(tmp_path / "imported", tmp_path / "theirs.jsonl", wanted)
        assert sorted(ours, key=str) == sorted(theirs, key=str)
    assert main(["report", str(tmp_path / "imported"), "--html", str(tmp_path / "r.html")]) == 0


def test_a_file_is_turned_into_another_format(tmp_path):
    rows = [{"query": QUESTION, "response": SOLUTION}]
    source = tmp_path / "sft.json"
    source.write_text(json.dumps(rows))
    out = tmp_path / "chat.parquet"
    assert main(["export", str(source), str(out), "--as", "messages"]) == 0
    assert export(out, tmp_path / "back.jsonl", "sft") == rows


@pytest.mark.parametrize(
    ("wanted", "complaint"),
    [
        ("ppm", "ppm cannot be made of the columns 'query', 'response'"),
        ("trees", "trees come from a run"),
        ("problems", "no column 'question'; it has 'query', 'response'"),
    ],
)
def test_a_file_of_another_kind_cannot_be_exported(tmp_path, capsys, wanted, complaint):
    source = tmp_path / "sft.json"
    source.write_text(json.dumps([{"query": QUESTION, "response": SOLUTION}]))
    assert main(["export", str(source), str(tmp_path / "out.jsonl"), "--as", wanted]) == 2
    said = capsys.readouterr().err
    assert complaint in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out.jsonl").exists()
