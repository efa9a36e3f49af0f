"""Starts a guard and its zygote: an interpreter whose environment holds nothing of the worker's.

The zygote confines itself and then reports what is in force. If a protection is missing that was
not waived by name, or the interpreter does not start, `Unconfinable` says which and why.
"""

import array
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio

from workers.sandbox import channel, policy, seccomp
from workers.sandbox.errors import SandboxError, Unconfinable

HOME = str(Path(__file__).parent)
_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from inside import "
GUARD = _BOOT + "guard; guard.main(*map(int, sys.argv[2:4]), sys.argv[4:])"
ZYGOTE = _BOOT + "libraries; libraries.load(); from inside import main; main.main()"
PLAIN = ("-S", "-P", "-B", "-c")
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
STOP_SECONDS = 10.0
START_SECONDS = 120.0  # importing sympy on a machine that is busy with other things


@dataclass(frozen=True)
class Confinement:
    """The protections in force: Landlock's ABI (0: none), fork permits, having left root."""

    landlock: int
    fork_permits: bool
    nobody: bool


@dataclass(frozen=True)
class Launched:
    """A confined zygote, ready for fork requests. `listener` is -1 where there is none."""

    process: trio.Process
    control: socket.socket
    exits: socket.socket
    pid: int
    listener: int
    confinement: Confinement


async def launch(
    flavour: policy.Flavour, allow: frozenset[str], python: str = sys.executable
) -> Launched:
    """Start one; on failure or cancellation no process is left."""
    with ExitStack() as ours:
        control, their_control = channel.pair()
        exits, their_exits = channel.pair()
        ours.callback(_close, control, exits)
        stderr = channel.Output(4096)
        with their_control, their_exits, closing(stderr):
            process = await _start(python, their_control, their_exits, stderr)
            _close(their_control, their_exits)
            try:
                ready, pid, listener = await _handshake(control, _config(flavour, allow))
                _check_ready(ready, stderr, python, allow)
            except BaseException:
                _close(control, exits)  # the guard notices it and ends everything
                await _end(process)
                raise
        ours.pop_all()
    confinement = Confinement(ready["landlock"], listener >= 0, ready["nobody"])
    return Launched(process, control, exits, pid, listener, confinement)


async def _start(
    python: str, control: socket.socket, exits: socket.socket, stderr: channel.Output
) -> trio.Process:
    numbers = (control.fileno(), exits.fileno())
    try:
        return await trio.lowlevel.open_process(
            [python, *PLAIN, GUARD, HOME, *map(str, numbers), *PLAIN, ZYGOTE, HOME],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr.writer,
            env=policy.ENVIRONMENT,
            cwd="/",
            pass_fds=numbers,
            start_new_session=True,
        )
    except OSError as error:
        raise Unconfinable(f"{python} cannot be started: {error}") from error


async def _end(process: trio.Process) -> None:
    with trio.CancelScope(shield=True):
        with trio.move_on_after(STOP_SECONDS):
            await process.wait()
        process.kill()
        await process.wait()


def _close(*sockets: socket.socket) -> None:
    for sock in sockets:
        sock.close()


def _config(flavour: policy.Flavour, allow: frozenset[str]) -> dict[str, Any]:
    listener = "no-listener" not in allow
    return {
        "flavour": flavour,
        "home": HOME,
        "site": site_packages(),
        "readable": policy.READABLE,
        "threads": {name: policy.ENVIRONMENT[name] for name in THREADS},
        "landlock": "no-landlock" not in allow,
        "listener": listener,
        "filter": seccomp.assemble("permit" if listener else "free").hex(),
        "child_filter": "" if listener else seccomp.assemble("never").hex(),
        "files": policy.OPEN_FILES,
        "cpu": policy.CPU_CEILING_SECONDS,
        "clone": policy.CLONE_FLAGS,
        "text": policy.MESSAGE_CHARACTERS,
    }


def site_packages() -> list[str]:
    """The folders of the libraries that programs may import."""
    folders = (path for path in sys.path if path.endswith(("site-packages", "dist-packages")))
    return [os.path.realpath(path) for path in folders if os.path.isdir(path)]


async def _handshake(
    control: socket.socket, config: Mapping[str, Any]
) -> tuple[dict[str, Any], int, int]:
    with trio.move_on_after(START_SECONDS):
        try:
            control.send(json.dumps(config).encode())
            await trio.lowlevel.wait_readable(control)
            return _read_ready(control)
        except ConnectionError:
            return {}, 0, -1
    raise SandboxError(f"the confined interpreter was not ready within {START_SECONDS:.0f} s")


def _read_ready(control: socket.socket) -> tuple[dict[str, Any], int, int]:
    room = socket.CMSG_SPACE(channel.CREDENTIALS.size) + socket.CMSG_SPACE(4)
    message, ancillary, _, _ = control.recvmsg(65536, room)
    pid, listener = 0, -1
    for _, kind, data in ancillary:
        if kind == socket.SCM_RIGHTS:
            listener = array.array("i", data)[0]
        else:
            pid = channel.CREDENTIALS.unpack(data)[0]
    return json.loads(message or b"{}"), pid, listener


def _check_ready(
    ready: Mapping[str, Any], stderr: channel.Output, python: str, allow: frozenset[str]
) -> None:
    if "error" in ready:
        hint = " (allow no-listener to do without snapshots)" if "seccomp" in ready["error"] else ""
        raise Unconfinable(f"the sandbox cannot confine programs: {ready['error']}{hint}")
    if not ready:
        stderr.drain()
        last = stderr.text().strip().splitlines()[-1:] or ["it printed nothing"]
        raise Unconfinable(
            f"{python} did not start with an empty environment as uid {os.geteuid()}: {last[0]}; "
            "can this user read the interpreter and its library?"
        )
    if not ready["landlock"] and "no-landlock" not in allow:
        raise Unconfinable(
            'this kernel has no Landlock (Linux 5.13, CONFIG_SECURITY_LANDLOCK, "lsm=landlock"): '
            "programs could read every file this user can; allow no-landlock to run all the same"
        )
