"""Copies published versions to a model hub, if `training.hub` is set.

Each kind has a repository; each version is a commit with a tag. A failed push does not fail the
round: the log has a warning, and `rstar models … push` pushes by hand.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

from rstar_async.errors import BadInput
from rstar_async.models.registry import weights_folder
from storage.records import ModelVersion

log = logging.getLogger(__name__)


def check_name(hub: str) -> None:
    """`BadInput` unless `hub` is OWNER/NAME, a valid name of a repository."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils._validators import validate_repo_id

    try:
        validate_repo_id(f"{hub}-policy")
    except HFValidationError as error:
        raise BadInput(f"{hub!r} is not a repository of a hub: {error}") from None
    if hub.count("/") != 1:
        raise BadInput(f"{hub!r} is not a repository of a hub: expected OWNER/NAME")


def push(version: ModelVersion, folder: Path, hub: str) -> str:
    """Upload the version's `folder` to the repository HUB-KIND, which is created private if it is
    missing; returns the address."""
    from huggingface_hub import HfApi

    api, name = HfApi(), f"{hub}-{version.kind}"
    repository = api.create_repo(name, private=True, exist_ok=True)
    commit = api.upload_folder(repo_id=name, folder_path=folder, commit_message=version.id)
    api.create_tag(name, tag=version.id, revision=commit.oid, exist_ok=True)
    return f"{repository}/tree/{version.id}"


def push_all(versions: Sequence[ModelVersion], home: Path, hub: str) -> None:
    """Push what a round of the run in `home` published; a failure is a warning, never an error."""
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    for version in versions:
        try:
            to = push(version, weights_folder(version, home), hub)
            log.info("model pushed", extra={"model": version.id, "to": to})
        except Exception as error:  # libraries and networks raise many kinds
            context = {"model": version.id, "hub": hub, "reason": str(error)}
            log.warning("training.hub: model not pushed", extra=context)
