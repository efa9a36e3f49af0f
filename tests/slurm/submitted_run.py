"""A small run on the scripted engine, as `rstar` starts it: here, or as a job of a test cluster."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

from benchmarks.chaos.tree_diff import Tree, read_trees
from tests.slurm.cluster import SlurmCluster

NAME = "small"
# Nothing is trained but the bootstrap's copy of the demo's model: that is what takes time.
RECIPE = """
name = "small"
home = "{home}"
seed = 3
[model]
base = "demo"
[problems]
heldout_levels = [1]
[search]
rollouts = 3
candidates = 3
max_tokens = 64
in_flight = 6
[execution]
wall_seconds = 120.0
cpu_seconds = 60.0
[[rounds]]
problems = 5
levels = [1, 2]
[policy]
train = false
[ppm]
train = false
[evaluation]
problems = 1
samples = 2
rollouts = 2
candidates = 2
[workers]
engine = "scripted"
reward = 0
slots = 1
[workers.options]
delay = {delay}
"""
PATIENCE_SECONDS = 900.0


class SubmittedRun:
    """One run with its folder; `cluster` is None for a run on this machine."""

    def __init__(self, folder: Path, cluster: SlurmCluster | None, delay: float = 0.0) -> None:
        self.home, self.cluster = folder / "home", cluster
        folder.mkdir(parents=True)
        self.recipe = folder / "small.toml"
        self.recipe.write_text(RECIPE.format(home=self.home, delay=delay))

    def rstar(self, *words: str, code: int = 0) -> str:
        """What `rstar` says; it must end with this exit code."""
        done = subprocess.run(
            [sys.executable, "-m", "rstar_async.cli", *words],
            env={**os.environ, **self._environment(), "OMP_NUM_THREADS": "1"},
            cwd=self.recipe.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        assert done.returncode == code, f"{done.returncode}: {done.stdout}\n{self.output()}"
        return done.stdout

    def submit(self, *settings: str) -> str:
        """Have it queued on three nodes; the job's id."""
        said = self.rstar("run", str(self.recipe), "--slurm.nodes", "3", *settings)
        return said.partition("job ")[2].split()[0]

    def wait_for(self, holds: object, what: str) -> None:
        """Poll until true; the job's output explains what did not happen."""
        assert self.cluster is not None
        assert callable(holds)
        try:
            self.cluster.wait_until(holds, what, PATIENCE_SECONDS)
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{self.output()}") from None

    def wait_for_search(self) -> None:
        """Until the round's trees have grown a little and are far from finished."""
        nodes = (
            "SELECT count(*) FROM nodes JOIN searches ON searches.id = nodes.search_id "
            "WHERE searches.purpose = 'train'"
        )
        self.wait_for(lambda: self.stored(nodes) >= 20, "a search")
        assert self.is_searching()

    def workers_joined(self, pattern: str) -> int:
        """How many workers with such a log have been welcomed by a broker."""
        logs = self.home.glob(f"logs/{pattern}.log")
        return sum("welcomed" in log.read_text() for log in logs)

    def stored(self, question: str) -> int:
        """A number from the store; 0 before there is one."""
        try:
            with sqlite3.connect(f"file:{self.home}/rstar.db?mode=ro", uri=True) as connection:
                return int(connection.execute(question).fetchone()[0])
        except sqlite3.OperationalError:
            return 0

    def is_searching(self) -> bool:
        open_searches = "SELECT count(*) FROM searches WHERE status != 'finished'"
        return self.stored(open_searches) > 0

    def output(self) -> str:
        """What the job printed over all its starts, and the ends of its logs."""
        files = [self.home / "slurm" / "run.log", *self.home.glob("logs/*.log")]
        return "\n".join(f"== {f.name}\n{f.read_text()[-1500:]}" for f in files if f.exists())

    def trees(self) -> dict[str, Tree]:
        return read_trees(str(self.home / "rstar.db"), NAME)

    def processes(self) -> list[str]:
        """Command lines of this run that still exist."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if str(self.home) in words:
                found.append(words)
        return found

    def _environment(self) -> dict[str, str]:
        return self.cluster.environment if self.cluster is not None else {}
