"""Runs programs in another way, in a process of its own: `python host.py MODE`.

On standard input programs, each with its length in front (4 bytes, little-endian), on standard
output what they print, likewise; `ready` comes first. Modes: `fork FLAVOUR` and `chain FLAVOUR`
(forks of the warm interpreter without any protection), `code-judge FOLDER` and `sandbox-fusion
FOLDER` (checkouts of these projects).
"""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace

Execute = Callable[[str], bytes]
STEP_END = "\0"
MEMORY_MIB = 1024
SECONDS = 10


def warm_fork(flavour: str) -> Execute:
    """The least that a fork server does: fork, run, collect the output, wait."""
    _warm(flavour)
    return lambda source: _in_a_child(partial(exec, source, {"__name__": "__main__"}))


def warm_chain(flavour: str) -> Execute:
    """The same for steps in held states: one generation per step, and none ends before the last.

    The steps come in one piece, with `STEP_END` between them.
    """
    _warm(flavour)
    return lambda source: _in_a_child(
        partial(_grow, source.split(STEP_END), {"__name__": "__main__"})
    )


def _warm(flavour: str) -> None:
    sys.path.insert(0, str(Path(__file__).parents[2] / "workers" / "sandbox"))
    from inside import libraries, pages, warm  # type: ignore[import-not-found]

    libraries.load()
    warm.warm_up(flavour)
    pages.compact()


def _in_a_child(run: Callable[[], None]) -> bytes:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(writer, 1)
        sys.stdout = open(1, "w")  # noqa: SIM115
        _run_and_exit(run)
    os.close(writer)
    with open(reader, "rb") as output:
        text = output.read()
    os.waitpid(child, 0)
    return text


def _grow(steps: list[str], names: dict[str, object]) -> None:
    exec(steps[0], names)
    sys.stdout.flush()
    if steps[1:]:
        child = os.fork()
        if child == 0:
            _run_and_exit(partial(_grow, steps[1:], names))
        os.waitpid(child, 0)


def _run_and_exit(run: Callable[[], None]) -> None:
    try:
        run()
        sys.stdout.flush()
    finally:
        os._exit(0)


def code_judge(folder: str) -> Execute:
    """Its `PythonExecutor`, with its own limits switched on."""
    sys.path.insert(0, folder)
    from app.libs.executors.python_executor import PythonExecutor  # type: ignore[import-not-found]

    command = f"{sys.executable} {{source}}"
    executor = PythonExecutor(command, SECONDS, MEMORY_MIB << 20)
    return lambda source: executor.execute_script(source, timeout=SECONDS).stdout.encode()


def sandbox_fusion(folder: str) -> Execute:
    """Its `run_python`, `isolation: none`, but for conda: the interpreter is ours."""
    import asyncio

    os.environ["SANDBOX_CONFIG"] = "local"
    os.chdir(folder)
    sys.path.insert(0, folder)
    import structlog  # type: ignore[import-not-found]

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    from sandbox.runners import major  # type: ignore[import-not-found]
    from sandbox.runners.types import CodeRunArgs  # type: ignore[import-not-found]

    interpreter = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    major.get_python_rt_env = lambda _: interpreter
    config = major.config.sandbox
    if config.cleanup_process or config.restore_bash or config.isolation != "none":
        raise SystemExit("its configuration would touch other processes of this machine")
    loop = asyncio.new_event_loop()

    def execute(source: str) -> bytes:
        arguments = CodeRunArgs(code=source, run_timeout=SECONDS)
        done: SimpleNamespace = loop.run_until_complete(major.run_python(arguments))
        return str(done.run_result.stdout).encode()

    return execute


MODES: dict[str, Callable[[str], Execute]] = {
    "fork": warm_fork,
    "chain": warm_chain,
    "code-judge": code_judge,
    "sandbox-fusion": sandbox_fusion,
}


def serve(execute: Execute, requests: int, answers: int) -> None:
    """Serve until standard input ends."""
    with open(requests, "rb") as source_stream, open(answers, "wb", buffering=0) as result_stream:
        _write(result_stream.fileno(), b"ready")
        while length := source_stream.read(4):
            source = source_stream.read(int.from_bytes(length, "little")).decode()
            _write(result_stream.fileno(), execute(source))


def _write(descriptor: int, data: bytes) -> None:
    data = len(data).to_bytes(4, "little") + data
    while data:
        data = data[os.write(descriptor, data) :]


if __name__ == "__main__":
    source_stream, result_stream = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    os.set_inheritable(source_stream, False)
    serve(MODES[sys.argv[1]](sys.argv[2]), source_stream, result_stream)
