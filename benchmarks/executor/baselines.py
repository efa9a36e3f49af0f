"""Other ways to run a program, for comparison; those with other output are left out.

None of them confines anything: they show the cost without confinement.
"""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Protocol

import trio

from benchmarks.executor.host import STEP_END
from workers.sandbox import Limits, Sandbox
from workers.sandbox.inside import warm
from workers.sandbox.policy import FLAVOURS, flavour_of

HOST = Path(__file__).parent / "host.py"
IMPORTS = "import sympy, numpy\n"
BARE_FORK, BARE = "bare fork, no isolation", ("fork", "chain")
LIMITS = Limits(output_bytes=1 << 20)
ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class Baseline(Protocol):
    """Runs programs. `heavy`: each job costs half a second or more, so it is given fewer."""

    name: str
    heavy: bool

    async def run(self, source: str) -> str: ...


class Ours:
    """All protections on, no state kept: a tree for each program."""

    name, heavy = "ours, stateless", False

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def run(self, source: str) -> str:
        outcome = await self._sandbox.run("stateless", [source], LIMITS)
        self._sandbox.end_tree("stateless")
        return outcome.stdout


class FreshInterpreter:
    """`python -c` for each program; optionally with imports in front, as is common."""

    def __init__(self, preamble: str = "") -> None:
        self.name = "subprocess + import" if preamble else "subprocess"
        self.heavy = True
        self._preamble = preamble

    async def run(self, source: str) -> str:
        command = [sys.executable, "-c", self._preamble + source]
        done = await trio.run_process(command, capture_stdout=True, env=ENVIRONMENT)
        return done.stdout.decode()


class WarmPool:
    """`multiprocessing.Pool` of one warm process that runs everything in itself."""

    name, heavy = "mp.Pool, no isolation", False

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pool = context.Pool(1, warm.warm_up, ("numpy",))
        self._pool.apply(run_here, ("pass",))

    async def run(self, source: str) -> str:
        return self._pool.apply(run_here, (source,))

    def close(self) -> None:
        """End its process."""
        self._pool.terminate()
        self._pool.join()


def run_here(source: str) -> str:
    """Run it in this very process."""
    with redirect_stdout(StringIO()) as output:
        exec(source, {"__name__": "__main__"})
    return output.getvalue()


class Hosted:
    """One of the modes of `host.py`."""

    def __init__(self, mode: str, argument: str, python: str = sys.executable) -> None:
        self.name, self.heavy = mode, mode not in BARE
        command = [python, str(HOST), mode, argument]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        env = ENVIRONMENT | ({"LD_BIND_NOW": "1"} if mode in BARE else {})  # as ours has it
        self._process = subprocess.Popen(command, env=env, **pipes)  # type: ignore[call-overload]
        if self._answer() != "ready":
            _, complaint = self._process.communicate()
            last = complaint.decode(errors="replace").strip().splitlines()[-1:]
            raise RuntimeError(last[0] if last else "it did not start")

    async def run(self, source: str) -> str:
        data = source.encode()
        self._process.stdin.write(len(data).to_bytes(4, "little") + data)
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> str:
        length = int.from_bytes(self._process.stdout.read(4), "little")
        return str(self._process.stdout.read(length).decode())

    def close(self) -> None:
        """End its process."""
        self._process.kill()
        self._process.communicate()


class BareFork:
    """The limit: a fork of the warmed interpreter, of the flavour that ours would take."""

    name, heavy = BARE_FORK, False

    def __init__(self) -> None:
        self._hosts = {flavour: Hosted("fork", flavour) for flavour in FLAVOURS}

    async def run(self, source: str) -> str:
        return await self._hosts[flavour_of([source])].run(source)

    def close(self) -> None:
        """End its processes."""
        for host in self._hosts.values():
            host.close()


class BareChain:
    """The limit of steps in held states: each in a fork of the one before, and nothing else."""

    def __init__(self) -> None:
        self._host = Hosted("chain", "sympy")

    async def run(self, steps: list[str]) -> str:
        return await self._host.run(STEP_END.join(steps))

    def close(self) -> None:
        """End its process."""
        self._host.close()


@contextmanager
def open_baselines(
    sandbox: Sandbox, others: dict[str, Path | None]
) -> Iterator[tuple[list[Baseline], dict[str, str]]]:
    """All that can be had here, and why the rest cannot. `others`: checkouts by mode."""
    with ExitStack() as stack:
        baselines: list[Baseline] = [Ours(sandbox), FreshInterpreter(), FreshInterpreter(IMPORTS)]
        missing = {}
        for built_in in (BareFork(), WarmPool()):
            stack.callback(built_in.close)
            baselines.append(built_in)
        for mode, folder in others.items():
            try:
                project = Hosted(mode, *_folder_and_python(mode, folder))
            except (RuntimeError, OSError) as error:
                missing[mode] = str(error)
                continue
            stack.callback(project.close)
            baselines.append(project)
        yield baselines, missing


def _folder_and_python(mode: str, folder: Path | None) -> tuple[str, str]:
    if folder is None:
        raise RuntimeError(f"no checkout given: --{mode} FOLDER")
    if not folder.is_dir():
        raise RuntimeError(f"there is no folder {folder}")
    python = folder / ".venv" / "bin" / "python"
    return str(folder.resolve()), str(python.absolute()) if python.exists() else sys.executable
