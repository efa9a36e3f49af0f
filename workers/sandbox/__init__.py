"""Confined Python: `async with open_sandbox() as sandbox: await sandbox.run(tree, steps)`."""

from workers.sandbox.errors import KilledByKernel, SandboxError, Unconfinable
from workers.sandbox.execution import Outcome
from workers.sandbox.policy import Limits
from workers.sandbox.sandbox import Options, Sandbox, open_sandbox

__all__ = [
    "KilledByKernel",
    "Limits",
    "Options",
    "Outcome",
    "Sandbox",
    "SandboxError",
    "Unconfinable",
    "open_sandbox",
]
