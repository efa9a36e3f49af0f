"""The limits of a job as they hold here: refused if they limit nothing, else at most what there is.

Pure, but for `room_here`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from workers.sandbox import control_group, policy

MOST_SECONDS = 86400.0
MOST: Mapping[str, float] = {
    "wall_seconds": MOST_SECONDS,
    "cpu_seconds": MOST_SECONDS,
    "memory_mib": 1 << 20,
    "output_bytes": 1 << 30,
}
OWN_MIB = 384  # of the worker and the interpreters that programs start from
PROCESSES_BESIDE_HELD = 50  # the worker, guards, fork servers, programs under way


@dataclass(frozen=True)
class Room:
    """What one program may use here, and what interpreters that are held may use together."""

    program_mib: int
    held_mib: float
    held_nodes: int

    def limits(self, wanted: policy.Bounds) -> policy.Bounds:
        """`wanted`, with no more memory than one program can have here.

        Raises ValueError if a limit is not a number above 0 and up to a day, a TiB of memory or a
        GiB of output.
        """
        for name, most in MOST.items():
            if not 0 < getattr(wanted, name) <= most:  # also if it is not a number
                raise ValueError(f"the limit {name} must be above 0 and at most {most:,.0f}")
        if wanted.memory_mib <= self.program_mib:
            return wanted
        return policy.Limits(
            *(wanted.wall_seconds, wanted.cpu_seconds, self.program_mib, wanted.output_bytes)
        )


def room(held_nodes: int, held_mib: float, memory_mib: int, processes: int | None) -> Room:
    """The room in `memory_mib` and with so many processes.

    A program alone may use three quarters, and what leaves `OWN_MIB` for the worker and the
    interpreters that programs start from, but a quarter in any case. Held interpreters are a cache:
    half at most, and none once a program was killed for want of memory.
    """
    most_nodes = held_nodes if processes is None else processes - PROCESSES_BESIDE_HELD
    return Room(
        program_mib=max(memory_mib // 4, min(memory_mib * 3 // 4, memory_mib - OWN_MIB)),
        held_mib=min(held_mib, memory_mib / 2),
        held_nodes=max(1, min(held_nodes, most_nodes)),
    )


def room_here(held_nodes: int, held_mib: float) -> Room:
    """The room on this machine, in this process's control groups."""
    return room(held_nodes, held_mib, control_group.memory_mib(), control_group.processes())
