"""A copy of published versions on a model hub, on request.

A repository for each kind; each version is its newest commit and a tag of its own. A push is no
part of a round: what fails is said in the log, and can be pushed by hand (`rstar models … push`).
"""

import logging
from collections.abc import Sequence

from rstar_async.errors import BadInput
from storage.records import ModelVersion

log = logging.getLogger(__name__)


def check_name(hub: str) -> None:
    """`BadInput` unless it is OWNER/NAME, as hubs know repositories."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils._validators import validate_repo_id

    try:
        validate_repo_id(f"{hub}-policy")
    except HFValidationError as error:
        raise BadInput(f"{hub!r} is no repository of a hub: {error}") from None
    if hub.count("/") != 1:
        raise BadInput(f"{hub!r} is no repository of a hub: it is written OWNER/NAME")


def push(version: ModelVersion, hub: str) -> str:
    """Upload the version's folder to `hub` + its kind, made private if it is new; its address."""
    from huggingface_hub import HfApi

    api, name = HfApi(), f"{hub}-{version.kind}"
    place = api.create_repo(name, private=True, exist_ok=True)
    made = api.upload_folder(repo_id=name, folder_path=version.path, commit_message=version.id)
    api.create_tag(name, tag=version.id, revision=made.oid, exist_ok=True)
    return f"{place}/tree/{version.id}"


def push_all(versions: Sequence[ModelVersion], hub: str) -> None:
    """Push what a round published; a hub that cannot be reached costs a warning, never a round."""
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    for version in versions:
        try:
            log.info("model pushed", extra={"model": version.id, "to": push(version, hub)})
        except Exception as error:  # whatever libraries and networks raise
            facts = {"model": version.id, "hub": hub, "reason": str(error)}
            log.warning("training.hub: model not pushed", extra=facts)
