"""The slow judge: math-verify in a process of its own, `-m rstar_async.answers.verifier PID`.

Protocol, one JSON object a line. In: `{"gold", "predicted", "permissive"}`. Out: `{"ready": true}`
once the import is done, then one `{"verdict"}` for every line, in order. It has no clock of its
own: whoever asked kills it when it takes too long. It dies with its parent, keeps to `MAX_MEMORY`
and never writes anything else to its stdout.
"""

import ctypes
import json
import logging
import os
import resource
import signal
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import BinaryIO

from rstar_async.answers.rules import Verdict

MAX_MEMORY = 2 << 30
MAX_RECURSION = 2000
PRECISION = 60
"""Digits; with its own 6 decimals math-verify takes pi and pi + 1e-7 for one number."""
_WARM_UP = (
    (r"$\frac{x}{2}$", r"$\frac{x}{3}$"),
    (r"$(x + 1)^{2}$", r"$x^{2} + (2) \cdot x + 1$"),
    (r"$\sin(x)$", r"$\sqrt{2}$"),
)
"""The first use of a part of sympy costs tenths of a second."""
_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve until stdin ends."""
    parent = int(sys.argv[1])
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = _private_stdout()
    judge = load_judge()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    sys.setrecursionlimit(MAX_RECURSION)
    _send(answers, {"ready": True})
    for line in sys.stdin.buffer:
        question = json.loads(line)
        verdict = judge(question["gold"], question["predicted"], question["permissive"])
        _send(answers, {"verdict": verdict})


def load_judge() -> Callable[[str, str, bool], Verdict]:
    """Import math-verify (seconds) and warm its parsers; the function returned never raises.

    It says "equal" or "undecided": two forms that it cannot make the same may still be.
    """
    import math_verify

    logging.disable(logging.CRITICAL)

    @lru_cache(maxsize=1000)
    def read(text: str) -> tuple[object, ...]:
        return tuple(math_verify.parse(text, parsing_timeout=None, raise_on_error=False))

    def judge(gold: str, predicted: str, permissive: bool) -> Verdict:
        try:
            return "equal" if _verify(read(gold), read(predicted), permissive) else "undecided"
        except (Exception, MemoryError, RecursionError):
            return "undecided"

    def _verify(one: tuple[object, ...], other: tuple[object, ...], permissive: bool) -> bool:
        return bool(
            math_verify.verify(
                list(one),
                list(other),
                timeout_seconds=None,
                strict=not permissive,
                allow_set_relation_comp=permissive,
                float_rounding=6 if permissive else PRECISION,
                numeric_precision=15 if permissive else PRECISION,
                raise_on_error=True,
            )
        )

    for gold, predicted in _WARM_UP:
        judge(gold, predicted, False)
    return judge


def _private_stdout() -> BinaryIO:
    """Our stdout under a number nobody else knows; prints of libraries go nowhere."""
    private = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return os.fdopen(private, "wb")


def _send(answers: BinaryIO, message: dict[str, object]) -> None:
    answers.write(json.dumps(message).encode() + b"\n")
    answers.flush()


if __name__ == "__main__":
    main()
