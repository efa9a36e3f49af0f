"""Who may ask. Pure: headers in, verdict out.

Two dangers meet every page on a loopback port: other sites that reach it under a name of their own
(DNS rebinding; hence the check of `Host`), and, once it listens beyond this machine, other people
(hence the token). Nothing is sent to a stranger, not even the page itself.
"""

import hmac
import ipaddress
import socket
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Literal, TypeAlias
from urllib.parse import parse_qs

import msgspec

Verdict: TypeAlias = Literal["welcome", "introduced", "wrong host", "no token", "only reading"]

_READING = ("GET", "HEAD")


class Access(msgspec.Struct, frozen=True):
    """`hosts`: names this page answers to, lower case. `token`: "" where none is wanted."""

    hosts: frozenset[str]
    any_address: bool = False
    token: str = ""
    cookie: str = "rstar_view"

    def verdict(self, method: str, headers: Mapping[str, str], query: str) -> Verdict:
        """`introduced`: the query held the token, which belongs into a cookie now."""
        if method not in _READING:
            return "only reading"
        if not self._knows_host(headers.get("host", "")):
            return "wrong host"
        if not self.token or self._is_token(self._carried(headers)):
            return "welcome"
        asked = parse_qs(query).get("token", [""])
        return "introduced" if self._is_token(asked[0]) else "no token"

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
    """Loopback answers to loopback's names only; a wider address to any address and our names."""
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
    """An IP address, which no DNS server can turn into another."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    if is_address(host):
        return ipaddress.ip_address(host).is_loopback
    return host.lower() == "localhost"
