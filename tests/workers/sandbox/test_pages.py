"""Large pieces of memory are an economy: with or without them everything works, nothing is lost."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import workers.sandbox
from workers.sandbox.inside import pages

HOME = Path(workers.sandbox.__file__).parent

GATHERED = """
import math, zlib, _decimal, _datetime
from inside import pages

def own():
    with open("/proc/self/smaps") as lines:
        return sum(line.startswith("Anonymous:") and "   0 kB" not in line for line in lines)

before = own()
pages.gather()
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
        f"import sys; sys.path.insert(0, {str(HOME)!r})" + GATHERED,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    before, after = map(int, done.stdout.split())
    assert after < before


def test_there_are_no_gaps_between_what_is_made_after_the_filling():
    """But for the collector, which may end something at any time."""
    pages.fill()
    made = [bytes(200) for _ in range(60)]
    apart = [abs(id(one) - id(other)) for one, other in pairwise(made)]
    assert sum(distance == 240 for distance in apart) > 30
