"""A trainer spoils the policy of one round: the gate refuses it, and the run continues."""

import json
import os
import signal
import sqlite3

import pytest

from tests.system.test_whole_run import (
    PATIENCE_SECONDS,
    RECIPE,
    ask,
    pid_of,
    processes_of,
    start,
    wait_until,
)

pytestmark = pytest.mark.slow  # three rounds by real processes

GATED = RECIPE.replace("[policy]", "[gate]\npolicy = true\n[policy]").replace(
    "problems = 4", "problems = 16"
)
GUIDED = '[[rounds]]\nproblems = 8\nlevels = [1, 2]\nguidance = "ppm"\n'


def teach(tmp_path, learning_rate):
    """The trainer, started again, learns at this rate: that of a machine with another recipe."""
    file = tmp_path / "home" / "recipe.json"
    recipe = json.loads(file.read_text())
    recipe["policy"]["learning_rate"] = learning_rate
    file.write_text(json.dumps(recipe))
    os.kill(pid_of(tmp_path, "rstar_async.trainer"), signal.SIGKILL)


def closed(tmp_path, number):
    found = ask(tmp_path, f"SELECT status FROM rounds WHERE number = {number}")
    return found == [("closed",)]


def test_a_spoilt_policy_is_refused_with_its_ppm_and_the_next_round_takes_the_pair_before(tmp_path):
    run = start(tmp_path, recipe=GATED.replace("[policy]", f"{GUIDED * 2}[policy]", 1))
    wait_until(lambda: closed(tmp_path, 1), run)
    teach(tmp_path, 0.3)
    wait_until(lambda: closed(tmp_path, 2), run)
    teach(tmp_path, 1e-4)
    said, _ = run.communicate(timeout=PATIENCE_SECONDS)
    assert run.returncode == 0, said
    assert processes_of(tmp_path) == {}
    journal = "".join(file.read_text() for file in (tmp_path / "home" / "logs").glob("*.log"))

    with sqlite3.connect(f"file:{tmp_path}/home/rstar.db?mode=ro", uri=True) as connection:
        rows = connection.execute("SELECT round, kind, id, status, reason FROM model_versions")
        versions = {(number, kind): rest for number, kind, *rest in rows}
        used = connection.execute("SELECT policy_id, ppm_id FROM rounds ORDER BY number").fetchall()
    policy, ppm = versions[1, "policy"][0], versions[1, "ppm"][0]
    for kind in ("policy", "ppm"):
        _, status, reason = versions[2, kind]
        assert status == "refused"
        assert reason.startswith("pass@1 on held-out problems fell to 0."), reason
        assert f"refused {versions[2, kind][0]}: {reason}" in journal
        assert versions[3, kind][1] == "published"
    assert used[2:] == [(policy, ppm), (policy, ppm)]
