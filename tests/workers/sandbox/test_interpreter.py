"""What the kernel says about a process, here about this one."""

import mmap
import os
import socket
import subprocess

import pytest

from workers.sandbox.interpreter import Interpreter

SIZE = 64 << 20


@pytest.fixture
def this():
    with socket.socket() as sock:
        yield Interpreter(os.getpid(), -1, sock)


@pytest.mark.parametrize("kind", [mmap.MAP_PRIVATE, mmap.MAP_SHARED], ids=["private", "shared"])
def test_all_memory_that_is_of_no_file_counts(this, kind):
    before = this.memory_mib()[1]
    with mmap.mmap(-1, SIZE, kind | mmap.MAP_ANONYMOUS) as memory:
        for place in range(0, SIZE, mmap.PAGESIZE):
            memory[place] = 1
        assert this.memory_mib()[1] - before > 60
    assert this.memory_mib()[1] - before < 30


def test_a_process_is_dead_before_anyone_has_said_so():
    with socket.socket() as sock, subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        node = Interpreter(process.pid, os.pidfd_open(process.pid), sock)
        assert not node.is_dead()
        process.stdin.close()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert node.is_dead()
        node.mark_exited(None)
        assert node.is_dead()
