"""`rstar view` as a command: what it refuses, what it prints, what the package holds."""

import os
import socket
import subprocess
import sys
import time
from importlib import resources

import httpx
import pytest
import trio

from rstar_async.cli.main import main
from rstar_async.cli.view import locate
from rstar_async.errors import BadInput
from rstar_async.launch.lock import RunLock
from rstar_async.launch.sockets import (
    clients_endpoint,
    make_socket_folder,
    remove_socket_folder,
    workers_endpoint,
)
from rstar_async.view.access import access_for, is_loopback
from rstar_async.view.pools import PoolMonitor, read_status_files
from rstar_async.view.server import address as address_of
from rstar_async.view.server import bind, choose_token


def test_a_missing_database_is_one_line_and_exit_code_2(tmp_path, capsys):
    assert main(["view", str(tmp_path / "nothing.db")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "there is no run at" in lines[0]


def test_a_file_that_is_no_store_is_refused(tmp_path, capsys):
    (tmp_path / "notes.db").write_text("not a database at all, only some words " * 50)
    assert main(["view", str(tmp_path / "notes.db")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_port_in_use_is_one_line_and_exit_code_2(store, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["view", store.name, "--port", str(port)]) == 2
    assert f"port {port}" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.1"])
def test_an_address_that_is_not_ours_is_refused(host):
    with pytest.raises(BadInput):
        bind(host, 0)


def test_the_served_page_answers_on_loopback(address):
    assert address.startswith("http://127.0.0.1:")
    assert httpx.get(address).status_code == 200
    assert httpx.get(address, headers={"host": "evil.example"}).status_code == 421


def test_beyond_loopback_there_is_always_a_token():
    assert choose_token("127.0.0.1", None) == choose_token("::1", None) == ""
    assert choose_token("localhost", None) == ""
    assert len(choose_token("0.0.0.0", None)) >= 32
    assert choose_token("127.0.0.1", "mine") == "mine"
    with pytest.raises(BadInput):
        choose_token("0.0.0.0", "")
    assert address_of("::1", 8700, "t") == "http://[::1]:8700/?token=t"
    assert not is_loopback("0.0.0.0")


def test_another_name_is_answered_to_when_it_was_given():
    access = access_for("127.0.0.1", 8700, "", ("Lab.example",))
    assert access.verdict("GET", {"host": "lab.example:80"}, "") == "allowed"
    assert access.verdict("GET", {"host": "10.0.0.1"}, "") == "wrong host"
    assert access.verdict("GET", {}, "") == "wrong host"


def test_a_run_folder_names_its_database(tmp_path):
    (tmp_path / "rstar.db").touch()
    assert locate(str(tmp_path)) == (str(tmp_path / "rstar.db"), tmp_path)
    (tmp_path / "recipe.json").write_text('{"database": "postgresql://lab/run"}')
    assert locate(str(tmp_path)) == ("postgresql://lab/run", tmp_path)
    assert locate("postgresql://lab/run") == ("postgresql://lab/run", None)


def test_without_a_place_the_newest_run_is_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match="no run"):
        locate(None)
    (tmp_path / "runs/a").mkdir(parents=True)
    (tmp_path / "runs/a/run.lock").touch()
    (tmp_path / "runs/a/rstar.db").touch()
    assert locate(None)[0].endswith("runs/a/rstar.db")


async def test_a_run_that_is_over_has_no_pools(tmp_path):
    (tmp_path / "run.lock").touch()
    pools = await PoolMonitor(tmp_path).status()
    assert pools.running is False
    assert "no run is going on" in pools.reason


async def test_the_pools_of_a_run_tell_how_they_are(tmp_path):
    sockets = make_socket_folder()
    with RunLock(tmp_path) as lock:
        lock.note_sockets(sockets)
        command = [sys.executable, "-m", "brokers", "executor"]
        command += ["--clients", clients_endpoint(sockets, "executor")]
        command += ["--workers", workers_endpoint(sockets, "executor")]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as broker:
            watch = PoolMonitor(tmp_path)
            for _ in range(200):
                if (pools := await watch.status()).pools["executor"] is not None:
                    break
                await trio.sleep(0.1)
            broker.terminate()
    remove_socket_folder(sockets)
    assert pools.running
    assert pools.pools["executor"].pool == "executor"
    assert pools.pools["reward"] is None
    assert not (await PoolMonitor(tmp_path).status()).running


async def test_without_a_way_to_the_brokers_their_notices_tell_how_the_pools_are(tmp_path):
    notice, sockets = tmp_path / "executor.json", make_socket_folder()
    watch = PoolMonitor(None, tmp_path)
    assert (await watch.status()).reason == f"no broker has written to {tmp_path} lately"
    command = [sys.executable, "-m", "brokers", "executor", "--notice", str(notice)]
    command += ["--clients", clients_endpoint(sockets, "executor")]
    command += ["--workers", workers_endpoint(sockets, "executor")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as broker:
        with trio.fail_after(20):
            while not (await watch.status()).running:  # noqa: ASYNC110  a file sets no event
                await trio.sleep(0.1)
        broker.terminate()
    remove_socket_folder(sockets)
    pools = read_status_files(tmp_path).pools
    assert pools["executor"].pool == "executor"
    assert pools["reward"] is None

    an_hour_ago = time.time() - 3600
    os.utime(notice, (an_hour_ago, an_hour_ago))
    assert not read_status_files(tmp_path).running
    notice.write_text('["Status", 1')
    assert not read_status_files(tmp_path).running


@pytest.mark.parametrize("option", ["--home", "--notices"])
def test_a_folder_that_is_not_there_is_named(store, option, capsys):
    assert main(["view", store.name, option, "/nowhere"]) == 2
    assert capsys.readouterr().err == "rstar: there is no folder /nowhere\n"


def test_the_package_holds_the_page():
    files = resources.files("rstar_async.view") / "static"
    page = (files / "index.html").read_text()
    assert "http://" not in page
    assert "https://" not in page
    scripts = [f for folder in ("js", "js/views", "js/tree") for f in (files / folder).iterdir()]
    texts = [script.read_text() for script in scripts if script.name.endswith(".js")]
    assert len(texts) > 15
    for sink in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "https://",
    ):
        assert not any(sink in text.replace("no\n// innerHTML", "") for text in texts), sink
