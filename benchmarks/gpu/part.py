"""`python -m benchmarks.gpu.part NAME PLACE`: run one part. Exit code 0: it came to its end."""

import importlib
import sys
from pathlib import Path

import msgspec

from benchmarks.gpu.findings import Findings
from benchmarks.gpu.place import Place
from rstar_async.errors import RstarError


def main() -> int:
    """What a part raises ends the log in one line, by which the runner explains the failure."""
    name, file = sys.argv[1:]
    place = msgspec.json.decode(Path(file).read_bytes(), type=Place)
    module = importlib.import_module(f"{place.parts}.{name}")
    try:
        module.measure(place, Findings(place.findings(name), place.on_card))
    except RstarError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
