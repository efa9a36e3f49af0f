"""`python -m rstar_async.trainer.ranks N ARGUMENTS…`: N processes of one training on this machine.

With `NODES:N:HOST:PORT` in place of N, and started on each of so many nodes, all their processes
are one training; they meet at HOST:PORT, and HOST must be one of the nodes.

This is torchrun, except that bad input ends as with a single trainer: one line, exit code 2.
"""

import json
import os
import sys
import time
from pathlib import Path

from rstar_async.errors import BadInput

BAD_INPUT = 2


def main() -> int:
    """Train until asked to stop; torchrun reports any failure but bad input."""
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import main as torchrun

    layout, *arguments = sys.argv[1:]
    os.environ["PYTHONSAFEPATH"] = "1"  # for the ranks, as -P is for this process
    try:
        # Without the dashes torchrun would read `--run` as an abbreviation of its `--run-path`.
        torchrun([*torchrun_options(layout), "-m", "--", "rstar_async.trainer", *arguments])
    except ChildFailedError as error:
        _, failure = error.get_first_failure()
        if failure.exitcode != BAD_INPUT:
            raise
        print(f"rstar: {failure.message}", file=sys.stderr)
        return BAD_INPUT
    return 0


def torchrun_options(layout: str) -> list[str]:
    """Those for `N` or `NODES:N:HOST:PORT`."""
    if layout.isdecimal():
        return ["--standalone", "--nproc-per-node", layout]
    nodes, ranks, meeting = layout.split(":", 2)
    return [
        *("--nnodes", nodes, "--nproc-per-node", ranks),
        *("--rdzv-backend", "c10d", "--rdzv-endpoint", meeting, "--rdzv-id", meeting),
    ]


def refuse(error: BadInput) -> int:
    """Report the error, to the user or to the torchrun that started this process."""
    if file := os.environ.get("TORCHELASTIC_ERROR_FILE"):
        failure = {"message": str(error), "timestamp": int(time.time())}
        Path(file).write_text(json.dumps(failure))
    else:
        print(f"rstar: {error}", file=sys.stderr)
    return BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
