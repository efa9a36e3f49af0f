"""Keys as Secrets: against a server that keeps Secrets as the API server does, over HTTP."""

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from rstar_async.cli.cluster_secrets import IDENTITIES, Secrets, fetch, publish
from rstar_async.errors import BadInput
from rstar_async.wire.keys import load_broker_keys, load_peer_keys, make_keys

PROGRAM = Path(__file__).parents[2] / "docker/make-secrets"
OWN_DATABASE = "postgresql://rstar@db/rstar"


class Cluster(ThreadingHTTPServer):
    """Secrets by name, with the API server's answers to GET, POST and PATCH."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.stored: dict[str, dict[str, str]] = {}
        self.writes = 0


class Answer(BaseHTTPRequestHandler):
    server: Cluster

    def do_GET(self):
        data = self.server.stored.get(self._name())
        self._answer(404 if data is None else 200, {"data": data})

    def do_POST(self):
        secret = self._body()
        self.server.writes += 1
        taken = secret["metadata"]["name"] in self.server.stored
        if not taken:
            self.server.stored[secret["metadata"]["name"]] = secret["data"]
        self._answer(409 if taken else 201, {})

    def do_PATCH(self):
        self.server.writes += 1
        merge = self.headers["Content-Type"] == "application/merge-patch+json"
        if merge:
            self.server.stored[self._name()] |= self._body()["data"]
        self._answer(200 if merge else 415, {})

    def log_message(self, *_):
        pass

    def _name(self):
        return self.path.removeprefix("/api/v1/namespaces/ours/secrets/")

    def _body(self):
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with Cluster() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def make(cluster: Cluster, folder: Path, database_url: str = OWN_DATABASE) -> list[str]:
    """What the pod of the Job does, in its order; its second program takes seconds to start."""
    with httpx.Client(base_url=f"http://127.0.0.1:{cluster.server_port}") as client:
        secrets = Secrets(client, "ours")
        fetch(secrets, folder)
        make_keys(folder, ["coordinator"], ["executor", "inference", "reward"])
        (folder / "database/password").write_text("new")
        return publish(secrets, folder, database_url)


def make_with_the_program(cluster: Cluster, folder: Path) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{cluster.server_port}") as client:
        secrets = Secrets(client, "ours")
        fetch(secrets, folder)
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        subprocess.run([PROGRAM, folder], check=True, env=os.environ | {"PATH": path})
        publish(secrets, folder, OWN_DATABASE)


def test_every_identity_gets_its_secret_and_no_other_identitys_key(cluster, tmp_path):
    make_with_the_program(cluster, tmp_path)
    assert set(cluster.stored) == {f"keys-{identity}" for identity in IDENTITIES}
    assert set(cluster.stored["keys-executor"]) == {"broker.pub", "curve.key"}
    assert set(cluster.stored["keys-database"]) == {"password", "pgpass", "url"}
    assert "clients_coordinator.pub" in cluster.stored["keys-broker"]


def test_a_second_run_on_another_machine_changes_nothing(cluster, tmp_path):
    make(cluster, tmp_path / "one")
    before, writes = dict(cluster.stored), cluster.writes
    assert make(cluster, tmp_path / "two") == []
    assert (cluster.stored, cluster.writes) == (before, writes)


def test_a_deleted_secret_is_made_again_and_the_broker_lets_its_holder_in(cluster, tmp_path):
    make(cluster, tmp_path / "one")
    del cluster.stored["keys-executor"]
    assert make(cluster, tmp_path / "two") == ["keys-broker: completed", "keys-executor: made"]
    fetched = tmp_path / "three"
    make(cluster, fetched)
    executor = load_peer_keys(fetched / "executor")
    broker = load_broker_keys(fetched / "broker")
    assert broker.name_of("workers", executor.own.public.encode()) == "executor"
    assert executor.broker == broker.own.public


def test_the_operators_database_is_left_as_it_is(cluster, tmp_path):
    theirs = {"url": base64.b64encode(b"postgresql://me@far/x").decode(), "pgpass": ""}
    cluster.stored["keys-database"] = dict(theirs)
    make(cluster, tmp_path, database_url="")
    assert cluster.stored["keys-database"] == theirs


def test_without_a_database_it_says_what_to_create(cluster, tmp_path):
    with pytest.raises(BadInput, match="kubectl create secret generic keys-database"):
        make(cluster, tmp_path, database_url="")
