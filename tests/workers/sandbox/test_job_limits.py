"""Limits that limit nothing are refused; more memory than there is cannot be used."""

import math

import pytest

from workers.sandbox import Limits
from workers.sandbox.limits import Room

ROOM = Room(program_mib=900, held_mib=600.0, held_nodes=10)


@pytest.mark.parametrize("name", ["wall_seconds", "cpu_seconds", "memory_mib", "output_bytes"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -1, 0, 2**70, 10**400])
def test_a_limit_must_be_a_number_above_zero_and_not_huge(name, value):
    with pytest.raises(ValueError, match=f"limit {name} must be above 0 and at most"):
        ROOM.limits(Limits(**{name: value}))


def test_limits_within_the_room_stay_as_they_are():
    limits = Limits(wall_seconds=0.5, memory_mib=900)
    assert ROOM.limits(limits) is limits


def test_memory_is_lowered_to_what_one_program_can_have():
    assert ROOM.limits(Limits(memory_mib=1024, cpu_seconds=3.0)) == Limits(
        memory_mib=900, cpu_seconds=3.0
    )


async def test_the_sandbox_refuses_such_limits_and_goes_on(sandbox, tree):
    with pytest.raises(ValueError, match="cpu_seconds"):
        await sandbox.run(tree, ["1"], Limits(cpu_seconds=math.nan))
    assert (await sandbox.run(tree, ["1"])).value == "1"
