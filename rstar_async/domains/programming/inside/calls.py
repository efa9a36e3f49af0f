"""Calls a function of the program beside it, and writes down what each call did.

This interpreter belongs to the program, which may have changed anything in it. That gains nothing:
what is written here counts as what the function returned, and no expected value is in reach.
"""

import io
import json
import os
import signal
import sys
import time
from typing import Any

from .values import NotPlain, dumps, loads

MESSAGE_CHARACTERS = 300
PERSISTENCE = 3  # how often a call that catches everything is told to end
STDOUT = 1


class OutOfTime(BaseException):
    """A call has used up its CPU time."""


class _Alarm:
    """Ends a call that has used up its CPU time, or the process if the call catches that."""

    def __init__(self) -> None:
        self._times = 0
        signal.signal(signal.SIGPROF, self._ring)

    def set(self, seconds: float) -> None:
        self._times = 0
        signal.setitimer(signal.ITIMER_PROF, seconds, 0.1)

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _ring(self, *_signal: Any) -> None:
        self._times += 1
        if self._times > PERSISTENCE:
            os._exit(1)
        raise OutOfTime


class _Nowhere(io.TextIOBase):
    """Takes what the program prints during a call."""

    def write(self, text: str) -> int:
        return len(text)


def main(request: str, names: dict[str, Any]) -> None:
    """Make the calls one after the other; one line of output for each, as soon as it is done.

    `request` is JSON: `calls`, each the text of [function, arguments, named arguments]; `seconds`
    of CPU time for one call; `seconds_of_all`.
    """
    wanted = json.loads(request)
    sys.stdout = sys.stderr = _Nowhere()
    alarm = _Alarm()
    end = time.process_time() + wanted["seconds_of_all"]
    for call in wanted["calls"]:
        seconds = min(wanted["seconds"], end - time.process_time())
        line = json.dumps(_outcome(call, names, seconds, alarm)) + "\n"
        os.write(STDOUT, line.encode())


def _outcome(call: str, names: dict[str, Any], seconds: float, alarm: _Alarm) -> dict[str, Any]:
    if seconds <= 0:
        return {"failed": "no time was left for this call"}
    try:
        try:
            alarm.set(seconds)
            return _made(call, names)
        finally:
            alarm.stop()
    except OutOfTime:
        return {"failed": f"no result within {seconds:.3g} s"}
    except NotPlain as error:
        return {"failed": f"it gave {error}"}
    except BaseException as error:
        return {"raised": [type(error).__name__[:MESSAGE_CHARACTERS], _message(error)]}


def _made(call: str, names: dict[str, Any]) -> dict[str, Any]:
    """Make one call. `arguments` are there if the call has changed one of them."""
    function, args, named = loads(call, names)
    if function not in names:
        return {"failed": f"it does not define {function}"}
    before = _text([args, named])
    outcome = {"returned": dumps(names[function](*args, **named))}
    after = _text([args, named])
    return outcome if after == before else {**outcome, "arguments": after}


def _text(value: Any) -> str:
    try:
        return dumps(value)
    except NotPlain:
        return ""


def _message(error: BaseException) -> str:
    try:
        return str(error)[:MESSAGE_CHARACTERS]
    except Exception:
        return ""
