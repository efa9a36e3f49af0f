"""The page's own files, read once when the server starts.

Requests never reach the disk.
"""

import hashlib
from collections.abc import Iterator
from http import HTTPStatus
from importlib import resources
from importlib.resources.abc import Traversable

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_FIRST = "index.html"
# Served as one file: over HTTP/1.1 each further file delays the first page.
_STYLES = ("css/base.css", "css/parts.css", "css/views.css", "css/tree.css")


class File(msgspec.Struct, frozen=True):
    """A file with its media type (`kind`) and ETag."""

    body: bytes
    kind: str
    tag: str


class Files:
    """Answers with a file, or 404; `first` is the page at the root."""

    def __init__(self, first: str = _FIRST) -> None:
        self._first = first
        self._files = dict(_read(resources.files("rstar_async.view") / "static", ""))
        styles = b"".join(self._files.pop(name).body for name in _STYLES)
        self._files["css/all.css"] = _file(styles, _TYPES["css"])

    async def answer(self, request: Request) -> Response:
        file = self._files.get(request.path_params["path"] or self._first)
        if file is None:
            return PlainTextResponse("There is no such page.\n", HTTPStatus.NOT_FOUND)
        headers = {"etag": file.tag}
        if request.headers.get("if-none-match") == file.tag:
            return Response(None, HTTPStatus.NOT_MODIFIED, headers)
        return Response(file.body, HTTPStatus.OK, headers, file.kind)


def _read(folder: Traversable, prefix: str) -> Iterator[tuple[str, File]]:
    for entry in folder.iterdir():
        name = prefix + entry.name
        if entry.is_dir():
            yield from _read(entry, f"{name}/")
        elif kind := _TYPES.get(name.rpartition(".")[2]):
            yield name, _file(entry.read_bytes(), kind)


def _file(body: bytes, kind: str) -> File:
    return File(body, kind, f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"')
