"""Optional libraries, imported when a file needs them."""

import importlib
from pathlib import Path
from typing import Any

from rstar_async.errors import BadInput


def datasets_library(path: Path) -> Any:
    datasets = library("datasets", path)
    datasets.disable_progress_bars()
    return datasets


def library(name: str, path: Path) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise BadInput(
            f"{path}: this kind of file needs {name.partition('.')[0]}; "
            "it comes with `pip install 'rstar-async[train]'`"
        ) from None
