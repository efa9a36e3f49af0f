"""`python die_at.py WINDOWS FOLDER MODULE …`: run a module, and be killed at a point of its code.

WINDOWS is a JSON list. The first whose file is not yet in FOLDER is armed: when its function has
been called (or has returned) `number` times with the given local variables, its file is made and
this process gets SIGKILL at that point. Nothing is patched: a profile function counts the calls.
With no window left the module simply runs.
"""

import os
import runpy
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Literal

import msgspec


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A point between two steps of a protocol."""

    name: str
    module: str
    function: str
    event: Literal["call", "return"]
    number: int = 1
    given: dict[str, str | int] = {}


def main() -> None:
    windows = msgspec.json.decode(sys.argv[1], type=list[Window])
    folder, module = Path(sys.argv[2]), sys.argv[3]
    window = next((w for w in windows if not (folder / w.name).exists()), None)
    if window is not None:
        watch = Watch(window, folder / window.name)
        threading.setprofile(watch)
        sys.setprofile(watch)
    sys.argv[:] = sys.argv[3:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


class Watch:
    """Counts, and kills."""

    def __init__(self, window: Window, file: Path) -> None:
        self._window, self._file, self._left = window, file, window.number

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        window = self._window
        if event != window.event or frame.f_code.co_qualname != window.function:
            return
        if frame.f_globals.get("__name__") != window.module:
            return
        if any(frame.f_locals.get(name) != value for name, value in window.given.items()):
            return
        self._left -= 1
        if not self._left:
            self._file.touch()
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
