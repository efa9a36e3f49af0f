"""Names of datasets on a hub that were given where files are expected."""

import re
from pathlib import Path

from rstar_async.errors import BadInput

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w-]*")


def refuse_bare_hub_name(source: str, key: str) -> None:
    """`BadInput` for OWNER/NAME without `hf:`, unless there is something of that name here."""
    path = Path(source)
    if _HUB_NAME.fullmatch(source) and not path.exists() and not path.parent.exists():
        raise BadInput(
            f"{key}: there is no file {source}; for the dataset of the Hugging Face hub give "
            f"hf:{source}@train"
        )
