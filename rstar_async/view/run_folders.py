"""The runs in a folder: which there are, how each stands, and their stores, opened when needed.

A run that cannot be read is listed with the reason, so that it hides no other.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

from rstar_async.errors import BadInput, RstarError
from rstar_async.launch import run_folders
from rstar_async.reports.comparison import ComparedRun, runs_in
from rstar_async.reports.run_summary import RunSummary, summary_of
from storage.database import Database, open_database

MAX_OPEN = 16
READERS = 4

# From the folder of a run to the location of its store.
Locate: TypeAlias = Callable[[str], str]


class RunFolders:
    """The runs in the subfolders of `folder`. May be used by several threads."""

    def __init__(self, folder: Path, locate: Locate) -> None:
        self.folder = folder
        self._locate = locate
        self._lock = threading.Lock()
        self._open: OrderedDict[str, tuple[Database, ExitStack]] = OrderedDict()

    def names(self) -> list[str]:
        """As they are now, in the order of the alphabet."""
        return [each.name for each in run_folders.runs_in(self.folder)]

    def home(self, name: str) -> Path:
        """`BadInput` if the folder has no such run: a name never leads to another place."""
        if name not in self.names():
            raise BadInput(f"there is no run {name} in {self.folder}")
        return self.folder / name

    def store(self, name: str) -> Database:
        """The store of a run, upgraded to this version's tables if it is older."""
        home = self.home(name)
        with self._lock:
            if name not in self._open:
                stack = ExitStack()
                location = self._locate(str(home))
                opened = open_database(location, must_exist=True, readers=READERS)
                self._open[name] = stack.enter_context(opened), stack
            self._open.move_to_end(name)
            if len(self._open) > MAX_OPEN:
                _, (_, least_recent) = self._open.popitem(last=False)
                least_recent.close()
            return self._open[name][0]

    def summaries(self) -> list[RunSummary]:
        """Of all runs, the newest first."""
        found = [self._summary(name) for name in self.names()]
        return sorted(found, key=lambda each: each.created_at or 0.0, reverse=True)

    def compared(self, name: str) -> list[ComparedRun]:
        return runs_in(self.store(name), name)

    def close(self) -> None:
        with self._lock:
            for _, stack in self._open.values():
                stack.close()
            self._open.clear()

    def _summary(self, name: str) -> RunSummary:
        try:
            return summary_of(name, self.store(name))
        except (RstarError, OSError) as error:
            return RunSummary(name, problem=str(error))
