"""`HOME/metrics.json`: the metrics addresses of a run's processes, for Prometheus's `file_sd`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from rstar_async.launch.processes import ProcessSpec

NAME = "metrics.json"


class Target(msgspec.Struct, frozen=True):
    """One entry of the file: addresses, and the labels that their metrics get."""

    targets: list[str]
    labels: dict[str, str]


@contextmanager
def scrape_targets(specs: Sequence[ProcessSpec], home: Path) -> Iterator[None]:
    """Keep the file while the block lasts; there is none if no process serves metrics."""
    file = home / NAME
    targets = [
        Target([f"127.0.0.1:{spec.metrics_port}"], {"process": spec.name})
        for spec in specs
        if spec.metrics_port
    ]
    if targets:
        draft = file.with_suffix(".draft")
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(targets)))
        draft.replace(file)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
