"""Every verb over a damaged store ends, with one line if it cannot go on."""

import random
import re
import sqlite3

import pytest

from rstar_async.cli.main import main
from tests.storage.released import fill_store


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> bytes:
    file = tmp_path_factory.mktemp("sound") / "rstar.db"
    fill_store(f"sqlite:///{file}")
    with sqlite3.connect(file) as store:
        store.execute("PRAGMA journal_mode = DELETE")
    return file.read_bytes()


def flipped(sound: bytes, chance: random.Random) -> bytes:
    """Forty bits anywhere."""
    damaged = bytearray(sound)
    for _ in range(40):
        damaged[chance.randrange(100, len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def rewritten(sound: bytes, chance: random.Random) -> bytes:
    """Digits, points and quotes of texts replaced by others: the file's own form stays whole."""
    damaged = bytearray(sound)
    for place in chance.sample(range(4096, len(damaged)), 4_000):
        if damaged[place] in b'0123456789."{}[]':
            damaged[place] = chance.choice(b'0123456789."{}[]')
    return bytes(damaged)


def cut(sound: bytes, chance: random.Random) -> bytes:
    return sound[: chance.randrange(1, len(sound))]


def renamed(sound: bytes, chance: random.Random) -> bytes:
    """A column of the schema has another name."""
    column = chance.choice([b"status", b"question", b"path", b"recipe"])
    places = [found.start() for found in re.finditer(column, sound[: 40 * 4096])]
    damaged = bytearray(sound)
    damaged[chance.choice(places)] ^= 1
    return bytes(damaged)


DAMAGES = [flipped, rewritten, cut, renamed]


def verbs(home, out):
    return (
        ["report", home, "--json", out / "r.json"],
        ["trajectories", home, "--json"],
        ["tree", home, "x"],
        ["models", home],
        ["compare", home, home],
        ["db", "check", home],
        ["db", "prune", home, "--apply"],
        ["db", "export", home, out / "all"],
        ["export", home, out / "trees.jsonl", "--as", "trees"],
        ["export", home, out / "pairs.jsonl", "--as", "ppm"],
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("damage", DAMAGES)
def test_every_verb_ends_in_at_most_one_line_of_complaint(tmp_path, capsys, sound, damage, seed):
    damaged = damage(sound, random.Random(seed))
    home = tmp_path / "home"
    home.mkdir()
    for number, words in enumerate(verbs(home, tmp_path / "out")):
        for file in home.iterdir():
            file.unlink()
        (home / "rstar.db").write_bytes(damaged)
        capsys.readouterr()
        code = main([str(word) for word in words])
        said = capsys.readouterr().err
        assert code in (0, 1, 2), (number, words)
        assert said.count("\n") == (code == 2), (words, said)
        assert len(said) < 2_000


def test_a_value_that_no_column_can_hold_is_told_as_damage(tmp_path, capsys, sound):
    (tmp_path / "rstar.db").write_bytes(sound)
    with sqlite3.connect(tmp_path / "rstar.db") as store:
        store.execute("PRAGMA ignore_check_constraints = ON")
        store.execute("UPDATE runs SET recipe = '{\"seed\": '")
    assert main(["report", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "is damaged (Unreadable: not JSON" in said
    assert "`rstar db check` says where; restore a copy" in said


def test_a_broken_tree_is_told_with_the_rule_that_it_breaks(tmp_path, capsys, sound):
    (tmp_path / "rstar.db").write_bytes(sound)
    with sqlite3.connect(tmp_path / "rstar.db") as store:
        store.execute("UPDATE nodes SET path = '0.77' WHERE path = '0.1' AND search_id IN "
                      "(SELECT search_id FROM pairs)")  # fmt: skip
    assert main(["export", str(tmp_path), str(tmp_path / "p.jsonl"), "--as", "ppm"]) == 2
    said = capsys.readouterr().err
    assert "is damaged: not true that" in said
    assert "`rstar db check` says more" in said
