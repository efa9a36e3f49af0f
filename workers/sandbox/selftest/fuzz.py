"""Random system calls under the filter: only the process that makes them may be harmed.

Each round is a program that makes thousands of calls, until it has destroyed its own memory or hit
a limit. Afterwards a bystander that was held all the time must continue as before.
"""

from collections import Counter
from dataclasses import dataclass, field

import trio

from workers.sandbox import policy
from workers.sandbox.sandbox import Sandbox

CALLS = 3000  # of one round, at most
LIMITS = policy.Limits(wall_seconds=5.0, cpu_seconds=2.0, memory_mib=256, output_bytes=4096)
BYSTANDER = "held = [1, 2]"
PROGRAM = """
import ctypes, random
syscall = ctypes.CDLL(None).syscall
random.seed({seed})
buffer = ctypes.create_string_buffer(4096)
values = [0, 1, 2, 3, 4, 17, 0x8011, 4096, 2**31, 2**32, 2**63, -1, -100, ctypes.addressof(buffer)]
harmless = {{15, 34, 60, 61, 231, 93, 94, 139}}  # sigreturn, pause, exit: they end only the caller
for _ in range({calls}):
    number = random.randrange(470) if random.random() < 0.999 else random.getrandbits(31)
    if number in harmless: continue
    arguments = [random.choice(values) for _ in range(6)]
    syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments))
print("survived")
"""


@dataclass
class Fuzzed:
    """How the rounds ended, and the seeds of those that changed the bystander."""

    rounds: int = 0
    endings: Counter[str] = field(default_factory=Counter)
    harmed: list[int] = field(default_factory=list)


async def fuzz(sandbox: Sandbox, seconds: float, seed: int = 0) -> Fuzzed:
    """As many rounds as fit into `seconds`, at least one."""
    fuzzed, end = Fuzzed(), trio.current_time() + seconds
    await sandbox.run("bystander", [BYSTANDER])
    while fuzzed.rounds == 0 or trio.current_time() < end:
        number = seed + fuzzed.rounds
        program = PROGRAM.format(seed=number, calls=CALLS)
        outcome = await sandbox.run("fuzz", [BYSTANDER, program], LIMITS)
        fuzzed.endings[outcome.status] += 1
        fuzzed.rounds += 1
        if not await _goes_on(sandbox):
            fuzzed.harmed.append(number)
    sandbox.end_tree("fuzz")
    sandbox.end_tree("bystander")
    return fuzzed


async def _goes_on(sandbox: Sandbox) -> bool:
    outcome = await sandbox.run("bystander", [BYSTANDER, "held"])
    return (outcome.status, outcome.value, outcome.reused_steps) == ("ok", "[1, 2]", 1)
