"""`python -m benchmarks.gpu.part NAME PLACE`: run one part. Exit code 0: it came to its end."""

import importlib
import signal
import sys
from pathlib import Path

import msgspec

from benchmarks.gpu.findings import Findings
from benchmarks.gpu.place import Place
from rstar_async.errors import RstarError


def main() -> int:
    """What a part raises ends the log in one line, by which the runner explains the failure."""
    name, file = sys.argv[1:]
    # The runner stops a part by it; a shell may have started the runner with the signal ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    place = msgspec.json.decode(Path(file).read_bytes(), type=Place)
    module = importlib.import_module(f"{place.parts}.{name}")
    code = 0
    try:
        module.measure(place, Findings(place.findings(name), place.on_card))
    except* RstarError as group:
        print(_first(group), file=sys.stderr)
        code = 1
    return code


def _first(error: BaseException) -> BaseException:
    """What went wrong first, out of the groups that nurseries make."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


if __name__ == "__main__":
    sys.exit(main())
