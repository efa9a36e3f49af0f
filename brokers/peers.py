"""Who is here: peers by the session they announced and by the address they speak from."""

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar


class Peer(Protocol):
    session: bytes
    peer: bytes


M = TypeVar("M", bound=Peer)


class Peers(Generic[M]):
    """Members by session. A member that comes back from a new address keeps its session."""

    def __init__(self) -> None:
        self._by_session: dict[bytes, M] = {}
        self._by_peer: dict[bytes, M] = {}

    def __iter__(self) -> Iterator[M]:
        return iter(list(self._by_session.values()))

    def __len__(self) -> int:
        return len(self._by_session)

    def at(self, peer: bytes) -> M | None:
        return self._by_peer.get(peer)

    def get(self, session: bytes | None) -> M | None:
        return None if session is None else self._by_session.get(session)

    def add(self, member: M) -> None:
        self._by_session[member.session] = member
        self._by_peer[member.peer] = member

    def move(self, member: M, peer: bytes) -> None:
        self._forget_address(member)
        member.peer = peer
        self._by_peer[peer] = member

    def remove(self, member: M) -> None:
        del self._by_session[member.session]
        self._forget_address(member)

    def _forget_address(self, member: M) -> None:
        if self._by_peer.get(member.peer) is member:
            del self._by_peer[member.peer]
