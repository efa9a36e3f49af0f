"""Memory mapped before the filter is in force obeys its rules."""

import subprocess
import sys
from pathlib import Path

import pytest

import workers.sandbox

HOME = Path(workers.sandbox.__file__).parent
AFTER_MAPPING = """
import mmap
kept = mmap.mmap(-1, 8192, {flags}, {protection})
from inside import mapped, pages
mapped.make_sure()
print(sum("wx" in one.access for one in pages.mappings()))
"""
PRIVATE = "mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS"


def after_mapping(flags, protection):
    program = f"import sys; sys.path.insert(0, {str(HOME)!r})" + AFTER_MAPPING.format(
        flags=flags, protection=protection
    )
    return subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True)


def test_nothing_stays_both_writable_and_executable():
    assert after_mapping(PRIVATE, 7).stdout == "0\n"


@pytest.mark.parametrize("protection", [3, 7])
def test_an_interpreter_with_shared_memory_is_refused(protection):
    refusal = after_mapping("mmap.MAP_SHARED", protection)
    assert refusal.returncode == 1
    assert "memory that programs may not have: rw" in refusal.stderr
