"""`python -m rstar_async.trainer.ranks N WORDS…`: N trainers of this machine that train together.

It is torchrun, but that bad input ends it as it ends a single trainer: one line, exit code 2.
"""

import json
import os
import sys
import time
from pathlib import Path

from rstar_async.errors import BadInput

BAD_INPUT = 2


def main() -> int:
    """Train until told to end; any failure but bad input is torchrun's to tell."""
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import main as torchrun

    ranks, *words = sys.argv[1:]
    os.environ["PYTHONSAFEPATH"] = "1"  # for the ranks, as -P is for this process
    torch_words = ("--standalone", "--nproc-per-node", ranks, "-m")
    try:
        # Without the dashes torchrun takes `--run` for a part of its own `--run-path`.
        torchrun([*torch_words, "--", "rstar_async.trainer", *words])
    except ChildFailedError as error:
        _, failure = error.get_first_failure()
        if failure.exitcode != BAD_INPUT:
            raise
        print(f"rstar: {failure.message}", file=sys.stderr)
        return BAD_INPUT
    return 0


def refuse(error: BadInput) -> int:
    """Say what is wrong, to the user or to the torchrun that started this process."""
    if file := os.environ.get("TORCHELASTIC_ERROR_FILE"):
        told = {"message": str(error), "timestamp": int(time.time())}
        Path(file).write_text(json.dumps(told))
    else:
        print(f"rstar: {error}", file=sys.stderr)
    return BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
