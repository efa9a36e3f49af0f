"""Peers by the session they announced and by the address they send from."""

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar


class Peer(Protocol):
    session: bytes
    peer: bytes


P = TypeVar("P", bound=Peer)


class Peers(Generic[P]):
    """Clients or workers. One that comes back from a new address keeps its session."""

    def __init__(self) -> None:
        self._by_session: dict[bytes, P] = {}
        self._by_address: dict[bytes, P] = {}

    def __iter__(self) -> Iterator[P]:
        """Over a copy: the caller may remove peers meanwhile."""
        return iter(list(self._by_session.values()))

    def __len__(self) -> int:
        return len(self._by_session)

    def at(self, address: bytes) -> P | None:
        return self._by_address.get(address)

    def get(self, session: bytes | None) -> P | None:
        return None if session is None else self._by_session.get(session)

    def add(self, peer: P) -> None:
        self._by_session[peer.session] = peer
        self._by_address[peer.peer] = peer

    def move(self, peer: P, address: bytes) -> None:
        self._forget_address(peer)
        peer.peer = address
        self._by_address[address] = peer

    def remove(self, peer: P) -> None:
        del self._by_session[peer.session]
        self._forget_address(peer)

    def _forget_address(self, peer: P) -> None:
        if self._by_address.get(peer.peer) is peer:
            del self._by_address[peer.peer]
