import os
import stat
from pathlib import Path

import pytest

from rstar_async.errors import BadInput
from rstar_async.launch.sockets import (
    clients_endpoint,
    default_bases,
    make_socket_folder,
    remove_socket_folder,
)
from rstar_async.wire.endpoints import check_endpoint


def test_only_its_user_can_enter_the_folder(short_path: Path) -> None:
    folder = make_socket_folder((short_path,))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert folder != make_socket_folder((short_path,))


def test_endpoints_in_it_are_legal(tmp_path: Path) -> None:
    folder = make_socket_folder((Path("/tmp"),))
    check_endpoint(clients_endpoint(folder, "inference"), secured=False)
    remove_socket_folder(folder)
    assert not folder.exists()


def test_a_base_that_is_missing_or_too_long_is_skipped(short_path: Path) -> None:
    long = short_path / ("x" * 90)
    long.mkdir()
    folder = make_socket_folder((short_path / "missing", long, short_path))
    assert folder.parent == short_path


def test_without_any_base_the_remedy_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="XDG_RUNTIME_DIR"):
        make_socket_folder((tmp_path / "missing",))


def test_the_sessions_runtime_folder_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1")
    assert default_bases() == (Path("/run/user/1"), Path("/tmp"))


def test_only_socket_folders_are_removed(tmp_path: Path) -> None:
    remove_socket_folder(tmp_path)
    assert os.path.isdir(tmp_path)
