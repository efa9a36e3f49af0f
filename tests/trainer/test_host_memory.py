"""In a process of its own: what is set stays for good."""

import subprocess
import sys

PROGRAM = """
import ctypes, platform, resource, sys
from rstar_async.trainer.host_memory import keep_freed_memory
from rstar_async.wire.memory import give_back_garbage

SIZE = 64 << 20
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]

def faults_of_a_pass():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    block = libc.malloc(ctypes.c_size_t(SIZE))
    ctypes.memset(block, 1, SIZE)
    libc.free(block)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

if platform.libc_ver()[0] != "glibc":
    sys.exit("not glibc")
first, second = faults_of_a_pass(), faults_of_a_pass()
keep_freed_memory()
third, fourth = faults_of_a_pass(), faults_of_a_pass()
held = resident()
give_back_garbage()
print(min(first, second, third) > 10 * fourth, held - resident() > SIZE // 2)
"""


def test_freed_memory_is_kept_between_passes_and_returned_in_the_end():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.stdout.split() == ["True", "True"], done.stdout + done.stderr
