"""`rstar tree` and `rstar trajectories`: for those who stay in the terminal, and safe for it."""

import json
import re

import pytest

from rstar_async.cli.main import main
from rstar_async.sanitize import to_json, without_controls
from storage.records import Node, Problem, Search
from tests.view.generated import RUN
from tests.view.hostile import ID

# Sets the title, clears the screen, hides what follows, turns the text around; half a character.
ATTACK = "\x1b]0;pwned\x07\x1b[2J\x9b8m\x08\x7f\u202egnorw\ud800 [bold red]marked[/]"
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def attacked(store):
    """A search whose steps are meant for a terminal."""

    def step(path, status, correct=None):
        return Node(
            "attack", path, path.count("."), path.count("."), ATTACK, ATTACK, (), (), status,
            "stop", ATTACK, correct, visits=1, value_sum=1.0, exec_error=ATTACK,
        )  # fmt: skip

    store.commit(
        Problem("attack-p", RUN, ATTACK, ATTACK),
        Search("attack", RUN, 0, "attack-p", "train", 1, "policy-0", None, "finished"),
        step("0", "root"),
        step("0.1", "live"),
        step("0.1.1", "answer", True),
    )
    return store.name


@pytest.mark.parametrize("verb", [["tree"], ["trajectories"]])
def test_a_terminal_obeys_nothing_that_a_model_wrote(attacked, capsys, verb):
    own = ["attack"] if verb == ["tree"] else ["--round", "0"]
    assert main([*verb, attacked, *own]) == 0
    said = capsys.readouterr().out
    assert not OBEYED.search(said)
    assert "␛]0;pwned␇" in said
    assert "[bold red]marked[/]" in said
    assert main([*verb, attacked, *own, "--json"]) == 0
    for line in capsys.readouterr().out.splitlines():
        assert json.loads(line)["text"].startswith(ATTACK[:12])


def test_a_tree_shows_every_step_with_its_statistics(store, capsys):
    assert main(["tree", store.name, "r1-000003", "--depth", "1"]) == 0
    first = capsys.readouterr().out.splitlines()
    assert any(re.search(r"0\.1 N=\d+ Q=[+-]\d", line) for line in first)
    assert not any("0.1.1 N=" in line for line in first)
    assert main(["tree", store.name, "r1-000003", "--json"]) == 0
    nodes = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert nodes[0]["status"] == "root"
    assert len(nodes) >= 40


def test_solutions_come_best_first_and_wrong_ones_on_demand(store, capsys):
    def solutions(*options):
        assert main(["trajectories", store.name, "--round", "1", "--json", *options]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    right, wrong = solutions("--limit", "5"), solutions("--wrong")
    assert [one["mean_q"] for one in right] == sorted((o["mean_q"] for o in right), reverse=True)
    assert all(one["correct"] is True for one in right)
    assert len(wrong) == 3
    assert all(one["correct"] is False for one in wrong)


def test_a_search_that_is_not_there_is_one_line(store, capsys):
    assert main(["tree", store.name, "\x1b[2Jnone"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "there is no search" in line
    assert not OBEYED.search(line)


def test_only_what_would_be_obeyed_is_replaced():
    assert without_controls("plain\n\tü → 数 😀") == "plain\n\tü → 数 😀"
    assert without_controls("\x00\x1b\x7f\x85") == "␀␛␡\ufffd"
    assert json.loads(to_json({"a\ud800": ["b\udc00", ("c", 1)]})) == {
        "a\ufffd": ["b\ufffd", ["c", 1]]
    }


def test_the_hostile_page_s_search_prints_too(store, capsys):
    assert main(["tree", store.name, ID]) == 0
    assert not OBEYED.search(capsys.readouterr().out)
