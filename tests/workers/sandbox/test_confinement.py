"""Hostile programs are contained, and the programs after them run undisturbed."""

import pytest
import trio

from workers.sandbox import Limits, Options, open_sandbox
from workers.sandbox.selftest.corpus import is_contained, judge, programs
from workers.sandbox.selftest.doctor import doctor, self_test
from workers.sandbox.selftest.fuzz import fuzz

from .conftest import CORPUS

ATTACK_LIMITS = Limits(wall_seconds=3.0, cpu_seconds=0.4)
TRY = "def attempt(f):\n  try: print('BREACH', f())\n  except OSError as e: print('DENIED', e)\n"


async def no_strays(sandbox):
    while sandbox.unknown_processes:  # noqa: ASYNC110
        await trio.sleep(0.1)


@pytest.mark.parametrize("path", programs([CORPUS / "attacks"]), ids=lambda path: path.stem)
async def test_attack_is_contained_and_the_canary_lives(sandbox, path):
    verdict = await judge(sandbox, path, attack_limits=ATTACK_LIMITS)
    assert verdict.good, verdict


@pytest.mark.parametrize("path", programs([CORPUS / "benign"]), ids=lambda path: path.stem)
async def test_benign_program_prints_what_it_should(sandbox, path):
    verdict = await judge(sandbox, path, incremental=len(path.stem) % 2 == 0)
    assert verdict.good, verdict


async def test_the_corpus_left_no_process_behind(sandbox):
    with trio.fail_after(15):
        await no_strays(sandbox)


async def test_the_self_test_finds_nothing(sandbox):
    assert await self_test(sandbox) == []


async def test_the_doctor_finds_this_machine_healthy():
    facts = await doctor()
    assert facts.healthy, facts
    assert facts.landlock_abi > 0
    assert facts.fork_tickets


def test_a_breach_is_never_excused():
    assert not is_contained("BREACH", ["denied", "harmless", "accepted"])
    assert not is_contained("harmless", ["denied", "killed"])


async def test_fork_bomb_is_denied(sandbox, tree):
    step = TRY + "import os\nfor _ in range(200): attempt(os.fork)"
    outcome = await sandbox.run(tree, [step])
    assert outcome.stdout.count("DENIED") == 200
    assert "BREACH" not in outcome.stdout


async def test_clones_with_our_flags_are_denied_and_then_the_process_is_killed(sandbox, tree):
    step = (
        "import ctypes\nsyscall = ctypes.CDLL(None).syscall\n"
        "for _ in range(10000):\n"
        "  if syscall(56, 0x8011, 0, 0, 0, 0) >= 0: print('BREACH', flush=True)"
    )
    outcome = await sandbox.run(tree, [step])
    assert (outcome.status, outcome.stdout) == ("died", "")
    assert outcome.error_message == "killed for trying to fork again and again"


async def test_a_node_cannot_fork_before_a_fork_request(sandbox, tree):
    steps = ["x = 1", "import ctypes\nctypes.CDLL(None).syscall(56, 0x8011, 0, 0, 0, 0)"]
    assert (await sandbox.run(tree, steps)).value == "-1"


@pytest.mark.parametrize("seed", [0, 1000])
async def test_random_system_calls_harm_no_other_program(sandbox, seed):
    fuzzed = await fuzz(sandbox, seconds=2.0, seed=seed)
    assert fuzzed.harmed == []
    assert fuzzed.rounds == sum(fuzzed.endings.values()) >= 1
    with trio.fail_after(15):
        await no_strays(sandbox)


async def test_a_paused_program_uses_no_cpu(sandbox, tree):
    spin = "import signal\ndef spin(*_):\n  while True: pass\nsignal.signal(14, spin)\n"
    await sandbox.run(tree, [spin + "signal.setitimer(0, 0.2)"])
    node = sandbox._snapshots.get(next(iter(sandbox._snapshots._held)))
    before = node.cpu_seconds()
    await trio.sleep(0.6)
    assert node.cpu_seconds() - before < 0.01


THIEF = """
import ctypes, sys
syscall = ctypes.CDLL(None).syscall
frame = sys._getframe(1)
while not hasattr(frame.f_locals.get("self"), "_control"): frame = frame.f_back
node = frame.f_locals["self"]
class Thief:
    control = node._control
    def recvmsg(self, *size):
        order = self.control.recvmsg(*size)
        while syscall(56, 0x8011, 0, 0, 0, 0) == 0:
            while True: pass
        return order
    def __getattr__(self, name): return getattr(self.control, name)
node._control = Thief()
"""


async def test_a_node_that_steals_a_fork_permit_is_killed_and_so_is_its_child():
    async with open_sandbox(Options(slots=2, greeting_seconds=1.0)) as sandbox:
        assert (await sandbox.run("thief", [THIEF])).status == "ok"
        outcome = await sandbox.run("thief", [THIEF, "6 * 7"])
        assert (outcome.status, outcome.step) == ("died", 0)
        assert sandbox.unknown_processes
        assert (await sandbox.run("other", ["6 * 7"])).value == "42"
        with trio.fail_after(15):
            await no_strays(sandbox)
