"""What the client of a server must know of a model folder, read without torch.

Ids without an embedding end an SGLang server, and so do weights whose shapes are not those being
served, or a file cut short. All three are found here, before anything is sent.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from rstar_async.engines.errors import ModelUnavailable
from workers.engines.limits import ModelLimits

HEADER_BYTES = 8
UNBOUNDED = 1_000_000

Shapes: TypeAlias = Mapping[str, tuple[str, tuple[int, ...]]]


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A model version on disk. `shapes` are its tensors' types and shapes by name; `probe` are id
    sequences with the value that the trainer saw at each one's last id, perhaps none."""

    version: str
    path: Path
    limits: ModelLimits
    end_ids: frozenset[int]
    architecture: str
    shapes: Shapes
    probe: tuple[tuple[list[int], float], ...]

    def replaces(self, served: "ModelFolder") -> bool:
        """Whether these weights can be loaded over the `served` ones."""
        same = self.architecture == served.architecture and self.limits == served.limits
        return same and bool(self.shapes) and self.shapes == served.shapes


def read_model_folder(path: Path, version: str) -> ModelFolder:
    """Read and check; `ModelUnavailable` names what is wrong."""
    config = _json(path, "config.json")
    inner = config.get("text_config") or config
    generation_config = _json_if_there(path, "generation_config.json")
    manifest = _json_if_there(path, "manifest.json")
    return ModelFolder(
        version,
        path,
        ModelLimits(
            int(inner.get("vocab_size") or UNBOUNDED),
            int(inner.get("max_position_embeddings") or UNBOUNDED),
        ),
        _ids(generation_config.get("eos_token_id", inner.get("eos_token_id"))),
        str((config.get("architectures") or [""])[0]),
        {name: shape for file in _tensor_files(path) for name, shape in tensor_shapes(file)},
        _probe(manifest),
    )


def tensor_shapes(file: Path) -> list[tuple[str, tuple[str, tuple[int, ...]]]]:
    """The tensors that a safetensors file declares; `ModelUnavailable` unless all are in it."""
    try:
        with file.open("rb") as stream:
            header_size = int.from_bytes(stream.read(HEADER_BYTES), "little")
            header = json.loads(stream.read(header_size))
        header.pop("__metadata__", None)
        end = max((entry["data_offsets"][1] for entry in header.values()), default=0)
        expected = HEADER_BYTES + header_size + end
        found = [(name, (e["dtype"], tuple(e["shape"]))) for name, e in header.items()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ModelUnavailable(file.parent, f"{file.name} cannot be read: {error}") from error
    if (size := file.stat().st_size) != expected:
        said = f"{file.name} has {size} bytes, its header says {expected}"
        raise ModelUnavailable(file.parent, said)
    return found


def _tensor_files(path: Path) -> list[Path]:
    """The files of the weights; those named by an index must all be there."""
    if not _has(path, "model.safetensors.index.json"):
        return sorted(path.glob("*.safetensors"))
    names = set(_json(path, "model.safetensors.index.json").get("weight_map", {}).values())
    return [path / name for name in sorted(names)]


def _probe(manifest: Mapping[str, Any]) -> tuple[tuple[list[int], float], ...]:
    probe = manifest.get("probe") or {}
    return tuple(zip(probe.get("input_ids", ()), probe.get("values", ()), strict=True))


def _ids(value: int | list[int] | None) -> frozenset[int]:
    return frozenset(() if value is None else value if isinstance(value, list) else [value])


def _has(path: Path, name: str) -> bool:
    return (path / name).is_file()


def _json_if_there(path: Path, name: str) -> dict[str, Any]:
    return _json(path, name) if _has(path, name) else {}


def _json(path: Path, name: str) -> dict[str, Any]:
    try:
        content = json.loads((path / name).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelUnavailable(path, f"{name} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise ModelUnavailable(path, f"{name} is not an object")
    return content
