"""How many parameters every token is multiplied by, read from the header of a weights file."""

import json
from math import prod
from pathlib import Path
from typing import NamedTuple

HEAD = "lm_head.weight"
EMBEDDING = "embed_tokens.weight"
LENGTH_BYTES = 8


class Sizes(NamedTuple):
    """Parameters of the decoder's matrices and of the head; looking up an embedding costs neither
    bytes nor products worth counting."""

    decoder: int
    head: int


def sizes_of(folder: Path) -> Sizes:
    shapes: dict[str, list[int]] = {}
    for file in sorted(folder.glob("*.safetensors")):
        shapes |= _shapes_in(file)
    return sizes_in(shapes)


def sizes_in(shapes: dict[str, list[int]]) -> Sizes:
    """A head that is not in the file is the embedding, used twice."""
    matrices = {name: prod(shape) for name, shape in shapes.items() if len(shape) == 2}
    embedding = sum(size for name, size in matrices.items() if name.endswith(EMBEDDING))
    head = matrices.get(HEAD, embedding)
    apart = matrices.get(HEAD, 0) + embedding
    return Sizes(sum(matrices.values()) - apart, head)


def _shapes_in(file: Path) -> dict[str, list[int]]:
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(LENGTH_BYTES), "little")
        header = json.loads(stream.read(length))
    return {name: entry["shape"] for name, entry in header.items() if name != "__metadata__"}
