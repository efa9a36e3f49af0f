"""What this machine offers a sandbox, and a few attacks to check that it holds."""

import os
import platform
import resource
import sys
from dataclasses import dataclass

from workers.sandbox import control_group, policy
from workers.sandbox.errors import SandboxError
from workers.sandbox.inside.confine import landlock_abi
from workers.sandbox.sandbox import Options, Sandbox, open_sandbox

SELF_TEST_LIMITS = policy.Limits(wall_seconds=5.0, cpu_seconds=0.3, memory_mib=256)
ATTEMPT = """
def attempt(action):
    try: action()
    except BaseException as error: print("DENIED", type(error).__name__, error)
    else: print("BREACH")
import ctypes, mmap, os, socket, threading
"""
ATTACKS = {
    "write a file": "attempt(lambda: open('/tmp/sandbox_self_test', 'w'))",
    "open a socket": "attempt(lambda: socket.socket())",
    "fork": "attempt(os.fork)",
    "start a thread": "attempt(threading.Thread(target=print).start)",
    "run a command": "attempt(lambda: os.execv('/bin/sh', ['sh', '-c', 'true']))",
    "signal the worker": "attempt(lambda: os.kill(os.getppid(), 0))",
    "make executable memory": "attempt(lambda: mmap.mmap(-1, 4096, flags=34, prot=7))",
    "share memory": "attempt(lambda: mmap.mmap(-1, 4096))",
    "raise its own limits": "import resource\nattempt(lambda: resource.setrlimit(9, (-1, -1)))",
    "use 64 GiB": "attempt(lambda: bytearray(64 << 30))",
}
READING = "attempt(lambda: open('/etc/passwd'))\nattempt(lambda: os.listdir('/proc'))"
ENDLESS = "while True: pass"


async def self_test(sandbox: Sandbox, *, reading: bool = True) -> list[str]:
    """The attacks that got through. A worker must not serve unless this is empty."""
    attacks = ATTACKS | ({"read a file": READING} if reading else {})
    breaches = []
    for name, source in attacks.items():
        outcome = await sandbox.run("self-test", [ATTEMPT + source], SELF_TEST_LIMITS)
        if "BREACH" in outcome.stdout or "DENIED" not in outcome.stdout:
            breaches.append(f"{name}: {outcome.status} {outcome.error_message}".strip(": "))
    if (await sandbox.run("self-test", [ENDLESS], SELF_TEST_LIMITS)).status != "timeout":
        breaches.append("loop for ever")
    sandbox.end_tree("self-test")
    if sandbox.unknown_processes:
        breaches.append("leave a process behind")
    return breaches


@dataclass(frozen=True)
class Facts:
    """What `rstar doctor` prints about the executor."""

    kernel: str
    machine: str
    python: str
    user: int
    landlock_abi: int
    fork_tickets: bool
    leaves_root: bool
    most_processes: int  # -1: no limit; of the control group or the user
    most_descriptors: int
    memory_mib: int  # of the machine or the control group
    missing: tuple[str, ...]
    breaches: tuple[str, ...]

    @property
    def healthy(self) -> bool:
        """Whether an executor would serve here."""
        return not self.missing and not self.breaches


async def doctor(options: Options | None = None) -> Facts:
    """Inspect the machine, start a sandbox, and attack it."""
    options = options or Options()
    confinement, missing, breaches = None, [], list[str]()
    try:
        async with open_sandbox(options) as sandbox:
            confinement = sandbox.confinement["plain"]
            breaches = await self_test(sandbox, reading=confinement.landlock > 0)
    except SandboxError as error:
        missing.append(str(error))
    return Facts(
        kernel=platform.release(),
        machine=platform.machine(),
        python=f"{platform.python_version()} {sys.executable}",
        user=os.geteuid(),
        landlock_abi=landlock_abi(),
        fork_tickets=bool(confinement and confinement.fork_permits),
        leaves_root=bool(confinement and confinement.nobody),
        most_processes=_most_processes(),
        most_descriptors=resource.getrlimit(resource.RLIMIT_NOFILE)[1],
        memory_mib=control_group.memory_mib(),
        missing=tuple(missing),
        breaches=tuple(breaches),
    )


def _most_processes() -> int:
    limits = (resource.getrlimit(resource.RLIMIT_NPROC)[0], control_group.processes())
    return min((limit for limit in limits if limit is not None and limit >= 0), default=-1)
