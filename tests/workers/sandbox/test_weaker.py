"""A machine that lacks a protection is refused by name, unless that protection is waived by name.

A seccomp filter around the whole worker makes such a machine: the kernel itself refuses.
"""

import json
import platform
import subprocess
import sys

import pytest

from workers.sandbox import policy, seccomp
from workers.sandbox.seccomp import ALLOW, JUMP_EQUAL, JUMP_SET, _answer, _errno, _load, _low, _op

EBUSY = 16
NEW_LISTENER = 8
LANDLOCK_CREATE_RULESET = 444
SECCOMP = policy.NUMBERS["seccomp"][seccomp.COLUMN[platform.machine()]]
MACHINES = {
    "no-landlock": [
        *(_load(0), _op(JUMP_EQUAL, 0, 1, LANDLOCK_CREATE_RULESET)),
        *(_answer(_errno(seccomp.ENOSYS)), _answer(ALLOW)),
    ],
    "no-listener": [
        *(_load(0), _op(JUMP_EQUAL, 0, 3, SECCOMP), _load(_low(1))),
        *(_op(JUMP_SET, 0, 1, NEW_LISTENER), _answer(_errno(EBUSY)), _answer(ALLOW)),
    ],
}
ON_SUCH_A_MACHINE = """
import os, sys
from workers.sandbox.inside import confine
confine.no_new_privileges()
confine.filter_calls(bytes.fromhex(sys.argv[1]), False)
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""
DOCTOR = ("-m", "rstar_async.cli", "doctor", "--json")
WORKER = ("-m", "workers", "executor", "--endpoint", "ipc:///nowhere/w", "--name", "w")


def on(machine, *command):
    code = b"".join(MACHINES[machine]).hex()
    return subprocess.run(
        [sys.executable, "-c", ON_SUCH_A_MACHINE, code, *command], capture_output=True, text=True
    )


@pytest.mark.parametrize("waiver", policy.WAIVERS)
def test_an_executor_refuses_a_machine_that_lacks_a_protection_and_names_the_waiver(waiver):
    refusal = on(waiver, *WORKER)
    assert refusal.returncode == 2
    *_, line = refusal.stderr.strip().splitlines()  # a busy machine may be remarked upon before
    assert "cannot confine programs here" in line
    assert f"allow {waiver}" in line


@pytest.mark.parametrize("waiver", policy.WAIVERS)
def test_the_doctor_says_what_is_missing_and_that_it_can_be_waived(waiver):
    report = on(waiver, *DOCTOR)
    facts = json.loads(report.stdout)
    assert (report.returncode, facts["healthy"]) == (1, False)
    assert f"allow {waiver}" in facts["missing"][0]
    waived = on(waiver, *DOCTOR, "--allow", waiver)
    facts = json.loads(waived.stdout)
    assert (waived.returncode, facts["breaches"]) == (0, [])
    assert facts["fork_tickets"] == (waiver == "no-landlock")


def test_waiving_one_protection_does_not_waive_the_other():
    assert on("no-landlock", *DOCTOR, "--allow", "no-listener").returncode == 1
    assert on("no-listener", *DOCTOR, "--allow", "no-landlock").returncode == 1
