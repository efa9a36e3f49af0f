"""Which file or server a location means."""

import pytest

from rstar_async.errors import BadInput
from storage import engines
from storage.database import open_database

NAMES = ["a?b=1", "per%20cent", "a#b", "{x}", "a b", "\u00fc\N{GRINNING FACE}", "a:b@c", "file:x"]


@pytest.mark.parametrize("name", NAMES)
def test_a_path_is_taken_as_it_is(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    file = folder / f"{name}.db"
    with open_database(str(file)) as database:
        assert database.name == str(file)
    assert file in folder.iterdir()
    assert list(tmp_path.iterdir()) == [folder]


def test_a_relative_path_of_an_odd_name_is_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("~nobody.db", "file:x?mode=ro", "a%20b.db"):
        assert engines.parse(name).database == str(tmp_path / name)


def test_a_url_of_a_file_keeps_its_escapes(tmp_path):
    (tmp_path / "a b").mkdir()
    assert engines.parse(f"sqlite:///{tmp_path}/a%20b/x.db").database == f"{tmp_path}/a b/x.db"


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("sqlite:////tmp/x?mode=ro", "has a '[?]': give the path of the file instead"),
        ("sqlite://", "the store must be a file"),
        ("postgresql://host:port/name", "is not a database URL"),
        ("mysql://host/name", "neither SQLite nor PostgreSQL"),
        ("/tmp/a\0b", "not UTF-8 text"),
        ("/tmp/a\udc80b", "not UTF-8 text"),
        ("/nowhere/at/all.db", "does not exist"),
    ],
)
def test_what_is_no_location_is_refused_in_one_line(location, says):
    with pytest.raises(BadInput, match=says) as refused:
        engines.parse(location)
    assert "\n" not in str(refused.value)
