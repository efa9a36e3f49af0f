"""Other people's searches, in an environment of their own; see `benchmarks/search.py --peers`."""

from benchmarks.report import Cell


def measure_peers(python: str | None) -> list[dict[str, Cell]]:
    return []
