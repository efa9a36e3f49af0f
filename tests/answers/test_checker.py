"""The checker with its real verifier child."""

import os
import signal
import subprocess
import sys
import time

import pytest
import trio

from rstar_async.answers.checker import Checker, open_checker
from tests.answers.pathological import PATHOLOGICAL

HARD = (r"9^{9^{9^9}}", "5")
SYMBOLIC = (r"x^{10^7} \cdot x", "x^{10^7+1}")
OTHER = ("x^{10^7}", "x^{10^7+1}")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_the_ladder_needs_no_child():
    async with open_checker() as checker:
        assert await checker.equal(r"\frac{1}{2}", "0.5") == "equal"
        assert await checker.equal("1", "2") == "different"
        assert checker.statistics().started == 0


async def test_the_child_finds_what_the_ladder_cannot_or_leaves_it_undecided():
    async with open_checker(seconds=60) as checker:
        assert await checker.equal(*SYMBOLIC) == "equal"
        assert await checker.equal(*OTHER) == "undecided"
        assert await checker.equal(*SYMBOLIC) == "equal"
        counts = checker.statistics()
    assert (counts.started, counts.by_verifier, counts.remembered) == (1, 2, 1)


async def test_a_question_over_its_time_is_undecided_and_the_next_is_answered():
    async with open_checker(seconds=2) as checker:
        await checker.warm()
        started = time.monotonic()
        assert await checker.equal(*HARD) == "undecided"
        assert time.monotonic() - started < 10
        await checker.warm()
        assert await checker.equal(*OTHER) == "undecided"
        assert checker.statistics().timeouts == 1
        assert checker.statistics().started == 2


async def test_a_killed_child_loses_no_question():
    async with open_checker(seconds=60) as checker:
        await checker.warm()
        os.kill(checker.pids()[0], signal.SIGKILL)
        assert await checker.equal(*SYMBOLIC) == "equal"
        assert checker.statistics().deaths == 1


async def test_a_cancelled_question_leaves_the_checker_usable():
    async with open_checker(seconds=60) as checker:
        await checker.warm()
        with trio.move_on_after(0.2):
            await checker.equal(*HARD)
        assert checker.pids() == []
        assert await checker.equal(*SYMBOLIC) == "equal"


async def test_equal_questions_at_one_time_are_asked_once():
    async with open_checker(seconds=60) as checker:
        verdicts = []

        async def ask(checker: Checker) -> None:
            verdicts.append(await checker.equal(*SYMBOLIC))

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(ask, checker)
        assert verdicts == ["equal"] * 5
        assert checker.statistics().by_verifier == 1


async def test_no_child_outlives_the_block():
    async with open_checker() as checker:
        await checker.warm()
        pid = checker.pids()[0]
    assert not is_alive(pid)


def test_the_child_dies_with_a_parent_that_is_killed():
    program = (
        "import trio\n"
        "from rstar_async.answers.checker import open_checker\n"
        "async def main():\n"
        "    async with open_checker() as checker:\n"
        "        await checker.warm()\n"
        "        print(checker.pids()[0], flush=True)\n"
        "        await trio.sleep_forever()\n"
        "trio.run(main)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
    deadline = time.monotonic() + 10
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(pid)


@pytest.mark.slow
async def test_no_pathological_pair_hangs():
    async with open_checker(workers=2, seconds=1) as checker:
        await checker.warm()
        for gold, predicted in PATHOLOGICAL:
            with trio.fail_after(30):
                await checker.equal(gold, predicted)
