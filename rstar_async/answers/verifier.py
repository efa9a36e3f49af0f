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
_WARM_UP = (
    (r"\boxed{\frac{x}{2}}", r"The answer is $\frac{x}{3}$"),
    (r"$0 < x < 1$", r"$(0, 1)$"),
    (r"$x^2 + y = 1$", r"$x + y = 2$"),
    (r"$\begin{pmatrix}1 & 2\end{pmatrix}$", r"$\begin{pmatrix}1 & 3\end{pmatrix}$"),
    (r"$\{1 \pm \sqrt{2}\}$", r"$\boxed{1}$ and $\boxed{2}$"),
)
"""One of each kind: the first use of a part of sympy costs tenths of a second."""
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

    It says "undecided" where nothing could be read on one side, or reading broke down.
    """
    import math_verify

    logging.disable(logging.CRITICAL)

    @lru_cache(maxsize=1000)
    def read(text: str) -> tuple[object, ...]:
        return tuple(math_verify.parse(text, parsing_timeout=None, raise_on_error=False))

    def judge(gold: str, predicted: str, permissive: bool) -> Verdict:
        try:
            one, other = read(gold), read(predicted)
            if _verify(one, other, permissive):
                return "equal"
        except (Exception, MemoryError, RecursionError):
            return "undecided"
        return "different" if one and other else "undecided"

    def _verify(one: tuple[object, ...], other: tuple[object, ...], permissive: bool) -> bool:
        return bool(
            math_verify.verify(
                list(one),
                list(other),
                timeout_seconds=None,
                strict=not permissive,
                allow_set_relation_comp=permissive,
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
