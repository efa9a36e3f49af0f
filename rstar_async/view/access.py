"""Access control: from the headers of a request to a verdict. Pure.

The `Host` header is checked, because another site could reach a loopback port by a name of its own
(DNS rebinding). Beyond loopback a token is needed. Without access not even the page is served.
"""

import hmac
import ipaddress
import socket
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Literal, TypeAlias
from urllib.parse import parse_qs

import msgspec

Verdict: TypeAlias = Literal["allowed", "token in query", "wrong host", "no token", "read only"]

_READ_METHODS = ("GET", "HEAD")


class Access(msgspec.Struct, frozen=True):
    """`hosts`: host names that are answered, lower case. `token`: "" if none is needed."""

    hosts: frozenset[str]
    any_address: bool = False
    token: str = ""
    cookie: str = "rstar_view"

    def verdict(self, method: str, headers: Mapping[str, str], query: str) -> Verdict:
        """`token in query` means that the caller should move the token into a cookie."""
        if method not in _READ_METHODS:
            return "read only"
        if not self._knows_host(headers.get("host", "")):
            return "wrong host"
        if not self.token or self._is_token(self._carried(headers)):
            return "allowed"
        asked = parse_qs(query).get("token", [""])
        return "token in query" if self._is_token(asked[0]) else "no token"

    def _knows_host(self, header: str) -> bool:
        name = host_of(header)
        return name in self.hosts or (self.any_address and is_address(name))

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.token.encode())

    def _carried(self, headers: Mapping[str, str]) -> str:
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return bearer.strip()
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            return ""
        return morsel.value if morsel else ""


def access_for(host: str, port: int, token: str, names: tuple[str, ...] = ()) -> Access:
    """Loopback answers to the names of loopback only; other hosts to any IP and our host names."""
    loopback = is_loopback(host)
    own = {"localhost", "127.0.0.1", "::1", host.lower(), *(name.lower() for name in names)}
    if not loopback:
        own |= {socket.gethostname().lower(), socket.getfqdn().lower()}
    return Access(frozenset(own), not loopback, token, f"rstar_view_{port}")


def host_of(header: str) -> str:
    """`Host` without its port: `[::1]:8700` is ::1."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()


def is_address(name: str) -> bool:
    """Whether it is an IP address, which DNS rebinding cannot change."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    if is_address(host):
        return ipaddress.ip_address(host).is_loopback
    return host.lower() == "localhost"
