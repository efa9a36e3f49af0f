"""CURVE keys on disk: the identities, and the lists of those that a broker lets in.

`make_keys` makes one folder per identity, each of which can be mounted alone:

    DIR/broker/curve.key   DIR/broker/clients/coordinator.pub   DIR/broker/workers/worker.pub
    DIR/coordinator/curve.key   DIR/coordinator/broker.pub      (a client)
    DIR/worker/curve.key        DIR/worker/broker.pub           (a worker)

The two allow lists are read at every handshake: adding or deleting a `.pub` file needs no restart.
A worker's key is refused by the clients' side. Not covered: a connection once let in stays in.
"""

import contextlib
import os
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec
import zmq

from rstar_async.errors import BadInput

Domain: TypeAlias = Literal["clients", "workers"]


class KeyFile(msgspec.Struct, frozen=True):
    """A named key pair, as stored on disk."""

    name: str
    public: str
    secret: str


class PeerKeys(msgspec.Struct, frozen=True):
    """What a client or worker needs: its own pair and the broker's public key."""

    own: KeyFile
    broker: str

    def secure(self, raw: zmq.SyncSocket) -> None:
        """Make a connecting socket authenticate itself and require the broker to do the same."""
        raw.curve_publickey = self.own.public.encode()
        raw.curve_secretkey = self.own.secret.encode()
        raw.curve_serverkey = self.broker.encode()

    def qualify(self, name: str) -> str:
        """Return the name for Hello: a broker accepts only names under the key's own."""
        return name if owns_name(self.own.name, name) else f"{self.own.name}/{name}"


class BrokerKeys(msgspec.Struct, frozen=True):
    """What a broker needs: its own pair and the folder with the allow lists."""

    own: KeyFile
    folder: Path

    def guard(self, raw: zmq.SyncSocket, domain: Domain) -> None:
        """Let only keys of `domain` in; none, unless a `ZapAuthenticator` is running."""
        raw.curve_publickey = self.own.public.encode()
        raw.curve_secretkey = self.own.secret.encode()
        raw.curve_server = True
        raw.set(zmq.ZAP_DOMAIN, domain.encode())
        raw.set(zmq.ZAP_ENFORCE_DOMAIN, 1)

    def name_of(self, domain: str, public: bytes) -> str | None:
        """Return the name of this key, or None if it is not on the domain's list."""
        if domain not in ("clients", "workers"):
            return None
        for file in sorted((self.folder / domain).glob("*.pub")):
            with contextlib.suppress(OSError):  # deleted meanwhile, or no file
                if file.read_bytes().strip() == public:
                    return file.stem
        return None


def owns_name(user: str, name: str) -> bool:
    """True if the holder of key `user` may call itself `name`: `user` or `user/anything`."""
    return name == user or name.startswith(f"{user}/")


def load_peer_keys(folder: Path) -> PeerKeys:
    """Read the folder of a client or worker."""
    return PeerKeys(_load_pair(folder), _read(folder / "broker.pub").decode().strip())


def load_broker_keys(folder: Path) -> BrokerKeys:
    """Read the folder of a broker."""
    return BrokerKeys(_load_pair(folder), folder)


def make_keys(folder: Path, clients: list[str], workers: list[str]) -> list[Path]:
    """Make the keys that are missing, and only those; return the folders of all identities."""
    broker = _ensure_pair(folder / "broker", "broker")
    for domain, names in (("clients", clients), ("workers", workers)):
        (folder / "broker" / domain).mkdir(mode=0o700, exist_ok=True)
        for name in names:
            pair = _ensure_pair(folder / name, name)
            (folder / name / "broker.pub").write_text(broker.public)
            (folder / "broker" / domain / f"{name}.pub").write_text(pair.public)
    return [folder / name for name in ("broker", *clients, *workers)]


def _ensure_pair(folder: Path, name: str) -> KeyFile:
    if "/" in name:
        raise BadInput(f"a key cannot be named {name!r}: the name becomes a folder")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / "curve.key"
    if file.exists():
        return _load_pair(folder)
    public, secret = zmq.curve_keypair()
    pair = KeyFile(name, public.decode(), secret.decode())
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as stream:
        stream.write(msgspec.json.encode(pair))
    return pair


def _load_pair(folder: Path) -> KeyFile:
    file = folder / "curve.key"
    data = _read(file)
    if file.stat().st_mode & 0o077:
        raise BadInput(f"{file} can be read by others: chmod 600 {file}")
    try:
        return msgspec.json.decode(data, type=KeyFile)
    except msgspec.MsgspecError as error:
        raise BadInput(f"{file} is not a key file: {error}") from None


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadInput(
            f"cannot read {file}: {error.strerror}; make keys with `rstar keys DIR`"
        ) from None
