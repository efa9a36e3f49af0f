import pytest

from rstar_async.data.owned_folders import (
    MARKER,
    is_owned,
    make_owned,
    remove_owned,
    remove_owned_in,
)


def test_what_was_made_here_can_be_removed(tmp_path):
    folder = make_owned(tmp_path / "a" / "b")
    (folder / "file").write_text("x")
    assert remove_owned(folder)
    assert not folder.exists()


def test_what_carries_no_marker_stays(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter").write_text("x")
    assert not remove_owned(tmp_path / "thesis")
    assert (tmp_path / "thesis" / "chapter").exists()


def test_a_link_to_an_owned_folder_is_not_followed(tmp_path):
    make_owned(tmp_path / "ours")
    (tmp_path / "link").symlink_to(tmp_path / "ours")
    assert not remove_owned(tmp_path / "link")
    assert is_owned(tmp_path / "ours")


def test_an_existing_folder_is_not_made_ours(tmp_path):
    (tmp_path / "thesis").mkdir()
    with pytest.raises(FileExistsError):
        make_owned(tmp_path / "thesis")
    assert not (tmp_path / "thesis" / MARKER).exists()


def test_only_owned_neighbours_are_removed(tmp_path):
    for name in ("old", "current"):
        make_owned(tmp_path / name)
    (tmp_path / "foreign").mkdir()
    remove_owned_in(tmp_path, keep="current")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["current", "foreign"]
    remove_owned_in(tmp_path / "nowhere")
