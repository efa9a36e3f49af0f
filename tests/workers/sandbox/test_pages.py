"""Arranging memory in large pieces changes nothing but the cost of forks."""

import subprocess
import sys
from pathlib import Path

import workers.sandbox
from workers.sandbox.inside import pages

HOME = Path(workers.sandbox.__file__).parent

COMPACTED = """
import math, zlib, _decimal, _datetime
from inside import pages

def own():
    with open("/proc/self/smaps") as lines:
        return sum(line.startswith("Anonymous:") and "   0 kB" not in line for line in lines)

before = own()
pages.compact()
assert math.isclose(math.sin(math.pi / 2), 1) and zlib.crc32(b"rstar") == 2913976762
assert str(_decimal.Decimal(1) / 7).startswith("0.142857")
assert _datetime.date(2024, 2, 29).isoformat() == "2024-02-29"
print(before, own())
"""

SIDE_BY_SIDE = """
from itertools import pairwise
from inside import pages

with_gaps = [bytes(200) for _ in range(20)]
del with_gaps[::2]
pages.fill_gaps()
made = [bytes(200) for _ in range(60)]
print(sum(abs(id(one) - id(other)) == 240 for one, other in pairwise(made)))
"""


def test_memory_keeps_its_contents():
    block = bytearray(8 << 20)
    block[::4096] = b"\x07" * len(block[::4096])
    before = bytes(block)
    assert pages.collapse() >= 0
    assert block == before


def test_a_kernel_that_refuses_is_no_error(monkeypatch):
    monkeypatch.setattr(pages, "MADV_COLLAPSE", 9999)
    assert pages.collapse() == 0


def test_libraries_work_as_before_and_own_fewer_mappings():
    before, after = map(int, run_inside(COMPACTED).split())
    assert after < before


def test_objects_made_after_filling_the_gaps_are_side_by_side():
    """All but where a pool ends; 49 of the 59 neighbours with the gaps left as they are."""
    assert int(run_inside(SIDE_BY_SIDE)) >= 56


def run_inside(program: str) -> str:
    """The output of a program in an interpreter of its own, as the sandbox starts one."""
    program = f"import sys; sys.path.insert(0, {str(HOME)!r})\n{program}"
    command = [sys.executable, "-S", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout
