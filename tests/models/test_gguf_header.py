"""Headers that announce more than the file holds are refused before anything is allocated."""

import struct

import pytest

from rstar_async.errors import BadInput
from rstar_async.models.gguf_header import check_header
from rstar_async.models.sources import find


def text(content: bytes, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(content) if length is None else length) + content


def header(tensors: int = 0, facts: int = 0, rest: bytes = b"", version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, facts) + rest


def fact(kind: int, value: bytes) -> bytes:
    return text(b"key") + struct.pack("<I", kind) + value


SOUND = header(
    1,
    3,
    fact(4, struct.pack("<I", 7))
    + fact(8, text(b"llama"))
    + fact(9, struct.pack("<IQ", 8, 2) + text(b"a") + text(b"b"))
    + text(b"weight")
    + struct.pack("<IQQIQ", 2, 4, 4, 0, 0)
    + bytes(64),
)
BOMBS = {
    "nothing at all": b"",
    "another kind of file": b"PK\3\4" + bytes(60),
    "a version of the future": header(version=99),
    "2^60 tensors": header(tensors=2**60, rest=bytes(100)),
    "2^60 facts": header(facts=2**60, rest=bytes(100)),
    "a key of 2^62 bytes": header(facts=1, rest=text(b"a" * 64, 2**62)),
    "a text of 2^62 bytes": header(facts=1, rest=fact(8, text(b"a", 2**62))),
    "an array of 2^40 texts": header(facts=1, rest=fact(9, struct.pack("<IQ", 8, 2**40))),
    "an array of 2^62 numbers": header(facts=1, rest=fact(9, struct.pack("<IQ", 12, 2**62))),
    "arrays in arrays": header(
        facts=1, rest=fact(9, struct.pack("<IQ", 9, 1) * 20_000 + bytes(64))
    ),
    "an unknown type": header(facts=1, rest=fact(77, bytes(64))),
    "a million dimensions": header(tensors=1, rest=text(b"w") + struct.pack("<I", 10**6)),
    "a tensor behind the end": header(
        tensors=1, rest=text(b"w") + struct.pack("<IQIQ", 1, 4, 0, 2**50)
    ),
}


def test_a_sound_header_is_read_to_its_end(tmp_path):
    (tmp_path / "m.gguf").write_bytes(SOUND)
    check_header(tmp_path / "m.gguf", "model.base")
    assert find(str(tmp_path / "m.gguf")).gguf_file == "m.gguf"


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_in_one_line_that_names_the_file(tmp_path, bomb):
    (tmp_path / "m.gguf").write_bytes(BOMBS[bomb])
    for place in (tmp_path / "m.gguf", tmp_path):
        with pytest.raises(BadInput, match=r"model\.base: .*m\.gguf is no whole GGUF") as refused:
            find(str(place))
        assert len(str(refused.value)) < 400


@pytest.mark.parametrize("length", range(0, len(SOUND) - 64, 7))
def test_a_header_that_was_cut_is_refused(tmp_path, length):
    (tmp_path / "m.gguf").write_bytes(SOUND[:length])
    with pytest.raises(BadInput, match="no whole GGUF"):
        find(str(tmp_path / "m.gguf"))
