"""Which model versions are in use, rollback to an older one, and pruning of weights. Pure."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from rstar_async.errors import BadInput
from storage.records import ModelKind, ModelStanding, ModelVersion


def newest(versions: Iterable[ModelVersion], kind: ModelKind) -> ModelVersion | None:
    """The newest published version of a kind, which the next round uses."""
    usable = [v for v in versions if (v.kind, v.status) == (kind, "published")]
    return max(usable, key=lambda v: (v.round, v.created_at), default=None)


def rollback(versions: Sequence[ModelVersion], wanted: str, reason: str) -> list[ModelStanding]:
    """The changes that make `wanted` the newest of its kind; `BadInput` if it cannot be.

    Withdrawing a policy also withdraws the PPMs trained from it. Going back to a version that was
    itself withdrawn publishes it, and the PPM trained from it, again.
    """
    by_id = {version.id: version for version in versions}
    target = by_id.get(wanted)
    if target is None:
        raise BadInput(f"there is no model version {wanted}; there are {', '.join(by_id)}")
    if target.status in ("refused", "pruned"):
        raise BadInput(f"{wanted} was {target.status}: {target.reason}")
    withdrawn = [v for v in versions if v.kind == target.kind and _is_newer(v, target)]
    if target.kind == "policy":
        policies = {v.id for v in withdrawn}
        withdrawn += [v for v in versions if v.kind == "ppm" and v.parent_id in policies]
    restored = [target, *(v for v in versions if v.kind == "ppm" and v.parent_id == target.id)]
    return [
        *(ModelStanding(v.id, "withdrawn", reason) for v in withdrawn if v.status == "published"),
        *(ModelStanding(v.id, "published", "") for v in restored if v.status == "withdrawn"),
    ]


def _is_newer(one: ModelVersion, other: ModelVersion) -> bool:
    return (one.round, one.created_at) > (other.round, other.created_at)


def prunable(
    versions: Sequence[ModelVersion], in_use: Iterable[str | None], keep: int
) -> list[ModelVersion]:
    """The versions whose weights may be deleted: all except the newest `keep` published ones of
    each kind, those that an open round uses, and the bases."""
    needed = {*in_use}
    kinds: tuple[ModelKind, ...] = ("policy", "ppm")
    for kind in kinds:
        usable = [v for v in versions if (v.kind, v.status) == (kind, "published")]
        usable.sort(key=lambda v: (v.round, v.created_at))
        needed |= {v.id for v in usable[-keep:]}
    return [
        version
        for version in versions
        if version.path and version.round and version.status != "pruned"
        if version.id not in needed
    ]


def weights_folder(version: ModelVersion, home: Path) -> Path:
    """Where a version of the run in `home` has its weights."""
    return home / version.path


def integrity_errors(version: ModelVersion, home: Path) -> list[str]:
    """One line for each file that is missing or has changed since it was published."""
    folder = weights_folder(version, home)
    if not folder.is_dir():
        return [f"there is no folder {folder}"]
    found: list[str] = []
    for name, facts in version.manifest.get("files", {}).items():
        file = folder / name
        if not file.is_file():
            found.append(f"{name} is missing")
        elif sha256(file) != facts["sha256"]:
            found.append(f"{name} has changed")
    return found


def sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
