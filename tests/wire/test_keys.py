"""Listed keys are let in, others are refused, and a key cannot use another key's name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import zmq

from rstar_async.errors import BadInput
from rstar_async.wire.keys import load_broker_keys, load_peer_keys, make_keys, owns_name
from rstar_async.wire.socket import Socket, open_broker, open_peer
from rstar_async.wire.zap import ZapAuthenticator

PATIENCE = 10.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_keys(tmp_path, clients=["coordinator"], workers=["worker"])
    return tmp_path


@asynccontextmanager
async def listening(folder: Path) -> AsyncIterator[Socket]:
    """The workers' side of a broker with a ZAP authenticator, on loopback tcp."""
    context: zmq.SyncContext = zmq.Context()
    keys = load_broker_keys(folder / "broker")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ZapAuthenticator(context, keys).run)
        listener = open_broker(context, "tcp://127.0.0.1:*", domain="workers", queue=10, keys=keys)
        try:
            yield listener
        finally:
            listener.close()
            nursery.cancel_scope.cancel()
    context.term()


async def send_from(listener: Socket, folder: Path) -> None:
    peer = open_peer(listener.endpoint, queue=10, keys=load_peer_keys(folder))
    peer.send([folder.name.encode()])
    await trio.sleep(0.3)
    peer.close()


async def test_only_a_listed_key_of_the_right_domain_is_let_in(folder, tmp_path_factory):
    others = tmp_path_factory.mktemp("others")
    make_keys(others, clients=[], workers=["unlisted"])
    broker = (folder / "worker" / "broker.pub").read_text()
    (others / "unlisted" / "broker.pub").write_text(broker)
    async with listening(folder) as listener:
        await send_from(listener, others / "unlisted")
        await send_from(listener, folder / "coordinator")  # listed, but as a client
        peer = open_peer(listener.endpoint, queue=10, keys=load_peer_keys(folder / "worker"))
        peer.send([b"hello"])
        with trio.fail_after(PATIENCE):
            ((frames, user),) = await listener.receive()
        assert (frames[1], user) == (b"hello", "worker")
        assert listener.receive_nowait() == []
        peer.close()


async def test_a_peer_without_keys_is_refused(folder):
    async with listening(folder) as listener:
        peer = open_peer(listener.endpoint, queue=10, keys=None)
        peer.send([b"hello"])
        with trio.move_on_after(0.5):
            assert not await listener.receive()
        peer.close()


async def test_a_key_can_be_listed_while_the_broker_runs(folder):
    async with listening(folder) as listener:
        (folder / "broker" / "workers" / "gone.pub").symlink_to("nowhere")  # as if just deleted
        make_keys(folder, clients=[], workers=["late"])
        peer = open_peer(listener.endpoint, queue=10, keys=load_peer_keys(folder / "late"))
        peer.send([b"hello"])
        with trio.fail_after(PATIENCE):
            ((_, user),) = await listener.receive()
        assert user == "late"
        peer.close()


def test_keys_are_private_and_are_not_made_twice(folder):
    file = folder / "worker" / "curve.key"
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_bytes()
    make_keys(folder, clients=["coordinator"], workers=["worker"])
    assert file.read_bytes() == before
    assert b"secret" not in (folder / "broker" / "workers" / "worker.pub").read_bytes()


def test_a_key_file_that_others_can_read_is_refused(folder):
    (folder / "worker" / "curve.key").chmod(0o644)
    with pytest.raises(BadInput, match="chmod 600"):
        load_peer_keys(folder / "worker")


def test_a_missing_or_broken_key_file_is_named(folder):
    with pytest.raises(BadInput, match="rstar keys DIR"):
        load_peer_keys(folder / "nobody")
    (folder / "worker" / "curve.key").write_text("{}")
    with pytest.raises(BadInput, match=r"worker/curve\.key is not a key file"):
        load_peer_keys(folder / "worker")
    with pytest.raises(BadInput, match="cannot be named"):
        make_keys(folder, clients=["../evil"], workers=[])


def test_a_key_owns_its_name_and_the_names_below_it(folder):
    keys = load_peer_keys(folder / "worker")
    assert keys.qualify("gpu-3") == "worker/gpu-3"
    assert keys.qualify("worker/gpu-3") == "worker/gpu-3"
    assert owns_name("worker", "worker")
    assert not owns_name("worker", "workers")
    assert not owns_name("worker", "coordinator/worker")
