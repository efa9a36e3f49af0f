"""Arranging memory in large pieces changes nothing but the cost of forks."""

import subprocess
import sys
from itertools import pairwise
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
    command = [
        sys.executable,
        "-S",
        "-c",
        f"import sys; sys.path.insert(0, {str(HOME)!r})" + COMPACTED,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    before, after = map(int, done.stdout.split())
    assert after < before


def test_objects_made_after_filling_the_gaps_are_side_by_side():
    """Most of them: the collector may free something at any time."""
    pages.fill_gaps()
    made = [bytes(200) for _ in range(60)]
    apart = [abs(id(one) - id(other)) for one, other in pairwise(made)]
    assert sum(distance == 240 for distance in apart) > 30
