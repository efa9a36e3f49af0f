"""Candidates that continue one program share nothing with each other, whatever it has prepared."""

import pytest

from .forging import FIND_ITSELF


async def siblings(sandbox, tree, before, first, second):
    """What `second` prints when it alone continues `before`, and when `first` did so already."""
    printed = []
    for candidates in ([second], [first, second + "  "]):
        for candidate in candidates:
            outcome = await sandbox.run(tree, [*before, candidate])
        printed.append((outcome.status, outcome.stdout))
    return printed


@pytest.mark.parametrize(
    "make",
    [
        "mmap.mmap(-1, 4096)",
        "mmap.mmap(-1, 4096, mmap.MAP_SHARED)",
        "mmap.mmap(-1, 4096, 3)",  # MAP_SHARED_VALIDATE
        "mmap.mmap(os.open('/dev/zero', os.O_RDONLY), 4096, access=mmap.ACCESS_READ)",
        "mmap.mmap(os.open(os.__file__, os.O_RDONLY), 4096, prot=mmap.PROT_READ)",
        "os.memfd_create('m')",
    ],
)
async def test_memory_cannot_be_shared(sandbox, tree, make):
    outcome = await sandbox.run(tree, [f"import mmap, os\nm = {make}"])
    assert (outcome.status, outcome.error_type, outcome.line) == ("exception", "PermissionError", 2)


async def test_private_memory_is_each_candidates_own(sandbox, tree):
    before = ["import mmap\nm = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)"]
    alone, after = await siblings(sandbox, tree, before, "m[:3] = b'abc'", "print(m[:3])")
    assert alone == after == ("ok", "b'\\x00\\x00\\x00'\n")


async def test_a_file_left_open_is_read_from_the_same_place_by_each(sandbox, tree):
    before = ["import os\nf = open(os.__file__, 'rb', buffering=0)\nprint(f.read(10))"]
    alone, after = await siblings(sandbox, tree, before, "f.read(5)", "print(f.read(5), f.tell())")
    assert alone == after
    assert alone[0] == "ok"
    assert alone[1].endswith(" 15\n")


async def test_output_cannot_be_opened_again_to_be_read(sandbox, tree):
    step = (
        "import os\nprint('mine', flush=True)\n"
        "for number in (1, 3, 4):\n"
        "  try: print('BREACH', os.open(f'/proc/self/fd/{number}', os.O_RDONLY | os.O_NONBLOCK))\n"
        "  except OSError as error: print(error.errno)"
    )
    outcome = await sandbox.run(tree, [step])
    assert (outcome.status, outcome.stdout) == ("ok", "mine\n6\n6\n6\n")  # ENXIO: sockets


async def test_output_cannot_be_read_back(sandbox, tree):
    step = "import os\nprint('mine', flush=True)\nos.read(1, 9)"
    outcome = await sandbox.run(tree, [step])
    assert (outcome.stdout, outcome.value) == ("mine\n", "b''")


async def test_the_output_of_an_earlier_step_is_no_channel(sandbox, tree):
    before = ["import os\nkept = os.dup(1)"]
    say = "def say():\n try: return os.write(kept, b'psst' * 999)\n except OSError as e: return e\n"
    hear = "print(os.read(kept, 99), say())"
    alone, after = await siblings(sandbox, tree, before, say + "say()", say + hear)
    assert alone == after == ("ok", "b'' [Errno 32] Broken pipe\n")


SAY_MUCH = """
def say():
    poll = select.poll()
    poll.register(kept, select.POLLOUT)
    try:
        for count in range(999):
            if not poll.poll(0): return count
            os.write(kept, b"psst" * 9999)
    except OSError as error: return error
"""


async def test_the_parents_own_socket_is_no_channel(sandbox, tree):
    """What one child sends there would be seen by the next, which could send less."""
    before = [FIND_ITSELF + "import os, select\nkept = os.dup(control.fileno())\n" + SAY_MUCH]
    alone, after = await siblings(sandbox, tree, before, "say()", "print(say())")
    assert alone == after == ("ok", "[Errno 32] Broken pipe\n")


@pytest.mark.parametrize("path", ["/etc/mtab", "/proc/self/exe", "/proc/self/fd/0", "/nonexistent"])
async def test_links_cannot_be_read(sandbox, tree, path):
    outcome = await sandbox.run(tree, [f"import os\nos.readlink({path!r})"])
    assert outcome.error_type == "PermissionError"


async def test_modules_lie_under_their_real_names(sandbox, tree):
    """Much code asks for them, and would fail at a link."""
    step = (
        "import inspect, os, fractions, sympy, ctypes\n"
        "all(os.path.realpath(m.__file__) == m.__file__ for m in (os, fractions, sympy, ctypes)) "
        "and len(inspect.getsource(fractions)) > 1000"
    )
    assert (await sandbox.run(tree, [step])).value == "True"
