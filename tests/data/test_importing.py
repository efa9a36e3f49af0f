"""Trees of other programs become a store that `rstar db check` finds sound."""

import json

import pytest
from msgspec import structs

from rstar_async.cli.main import main
from rstar_async.data.reference import adds_up, nodes_of_record, tree_record
from storage import queries
from storage.database import open_database
from storage.records import Node
from tests.storage.released import fill_store


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The trees of a real round, as `rstar export` writes them."""
    folder = tmp_path_factory.mktemp("run")
    fill_store(f"sqlite:///{folder}/rstar.db")
    file = folder / "trees.jsonl"
    assert main(["export", str(folder), str(file), "--as", "trees"]) == 0
    return [json.loads(line) for line in file.read_text().splitlines()]


def imported(tmp_path, rows, capsys, code=0) -> str:
    (tmp_path / "trees.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    capsys.readouterr()
    assert main(["import", str(tmp_path / "trees.jsonl"), str(tmp_path / "home")]) == code
    told = capsys.readouterr()
    return told.out if code == 0 else told.err


def test_our_own_trees_are_sound_when_they_are_read_back(tmp_path, exported, capsys):
    for _ in range(2):  # a second import changes nothing
        said = imported(tmp_path, exported, capsys)
        assert said.startswith(f"{len(exported)} trees with ")
        assert "add up" not in said
    assert main(["db", "check", str(tmp_path / "home")]) == 0
    assert main(["models", str(tmp_path / "home")]) == 0
    assert main(["db", "prune", str(tmp_path / "home"), "--apply"]) == 0
    assert main(["db", "check", str(tmp_path / "home")]) == 0
    with open_database(str(tmp_path / "home" / "rstar.db")) as database:
        assert database.read(queries.latest_published, "home", "policy", 1) is None


def guided() -> list[Node]:
    """A tree with priors: the root, a step that was entered, one that was only scored."""

    def node(path, status, visits, value, prior=None, expansion=1, correct=None):
        return Node("s", path, expansion, path.count("."), path, "", (), (), status,
                    answer="7" if status == "answer" else "", correct=correct, prior=prior,
                    visits=visits, value_sum=value)  # fmt: skip

    return [
        node("0", "root", 1, 1.0, expansion=0),
        node("0.1", "live", 2, 1.25, 0.25),
        node("0.2", "live", 1, -0.125, -0.125),
        node("0.3", "live", 0, 0.0),
        node("0.4", "code_error", 1, -1.0),
        node("0.1.1", "answer", 1, 1.0, expansion=2, correct=True),
        node("0.1.2", "answer", 0, 0.0, expansion=2),
    ]


def test_priors_are_what_nodes_have_beyond_what_their_children_passed_up():
    record = json.loads(json.dumps(tree_record("q", "7", guided())))
    read = nodes_of_record(record, "s", "row 1")
    assert {n.path: n.prior for n in read} == {n.path: n.prior for n in guided()}
    assert adds_up(read)
    root, *others = read
    assert not adds_up([structs.replace(root, value_sum=0.5), *others])


def test_trees_that_do_not_add_up_are_counted(tmp_path, capsys):
    record = tree_record("q", "7", guided())
    record["rstar"]["0"]["visit_count"] = 9
    said = imported(tmp_path, [record], capsys)
    assert "1 trees have visits or values that do not add up" in said


ODD = {
    "q_value": [None, float("nan"), float("inf"), 7, -1.5, "1", True, 10**400],
    "visit_count": [None, float("nan"), -1, 1.5, "3", 2**63, True],
    "text": [5, ["x"], {}],
    "final_answer": [5, [], {}],
    "observation": [5, ["x"]],
}


@pytest.mark.parametrize("name", ODD)
def test_a_field_of_another_type_is_one_line_with_the_node(tmp_path, capsys, name):
    for value in ODD[name]:
        record = tree_record("q", "7", guided())
        record["rstar"]["0.2"][name] = value
        said = imported(tmp_path, [record], capsys, code=2)
        assert said.count("\n") == 1
        assert "trees.jsonl:1" in said
        assert "node 0.2: not as the reference writes it" in said or "thousands of digits" in said


@pytest.mark.parametrize(
    "tag", ["0.01", "0.\u0661", "0." + "9" * 5_000, "1", "0.1.", "0.-1", "0.1\n"]
)
def test_a_tag_that_is_none_is_refused(tmp_path, capsys, tag):
    record = tree_record("q", "7", guided())
    record["rstar"][tag] = record["rstar"]["0.2"]
    said = imported(tmp_path, [record], capsys, code=2)
    assert "is no tag of a node, such as 0.1.3" in said
    assert len(said) < 400


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([], "holds no trees"),
        ([{"question": "q", "answer": None, "rstar": {}}], "column 'answer' is empty"),
        ([{"question": None, "answer": "7", "rstar": {}}], "column 'question' is empty"),
        ([{"question": "q", "answer": "7"}], 'no tree with a root "0"'),
        ([{"question": "q", "answer": "7", "rstar": {"0": None}}], 'no tree with a root "0"'),
        (
            [tree_record("q", "7", guided()), tree_record("q", "8", guided())],
            "trees.jsonl:2: the answer is '8', but an earlier tree over this question has '7'",
        ),
    ],
)
def test_a_row_that_is_no_tree_is_one_line(tmp_path, capsys, rows, says):
    said = imported(tmp_path, rows, capsys, code=2)
    assert says in said
    assert said.count("\n") == 1
