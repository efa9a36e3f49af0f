"""Runs as jobs of a real Slurm with three nodes: with RSTAR_TEST_SLURM=1.

Whatever happens to nodes and jobs, the trees are those of a run on one machine without Slurm.
"""

from pathlib import Path

import pytest

from benchmarks.chaos.tree_diff import Tree, different, unfinished
from rstar_async.launch.endpoints_file import read_endpoints
from tests.slurm.cluster import SlurmCluster
from tests.slurm.submitted_run import SubmittedRun

pytestmark = pytest.mark.slurm
DELAY = 0.4  # of each of the scripted engine's replies, so that there is a search to disturb


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tree]:
    """The trees of the same run on this machine."""
    run = SubmittedRun(tmp_path_factory.mktemp("alone") / "run", None)
    run.rstar("run", str(run.recipe))
    return run.trees()


def check(run: SubmittedRun, undisturbed: dict[str, Tree]) -> None:
    """Nothing lost, nothing stored twice, the same trees, nothing left running."""
    trees = run.trees()
    assert len(trees) == len(undisturbed) > 0
    assert different(undisturbed, trees) == []
    assert unfinished(trees.values()) == 0
    assert sum(tree.lost + tree.twice + tree.delivered_twice for tree in trees.values()) == 0
    run.wait_for(lambda: run.processes() == [], "the end of all processes")


def test_a_run_over_three_nodes_grows_the_trees_of_one_machine(
    cluster: SlurmCluster, undisturbed: dict[str, Tree], tmp_path: Path
) -> None:
    run = SubmittedRun(tmp_path / "run", cluster)
    assert "#SBATCH --nodes=3" in run.rstar("run", str(run.recipe), "--slurm.nodes=3", "--dry-run")
    assert cluster.jobs() == []
    job = run.submit()
    assert job in cluster.jobs()
    run.wait_for(lambda: read_endpoints(run.home), "brokers")
    for secret in (run.home / "endpoints.json", *run.home.glob("keys/*/curve.key")):
        assert secret.stat().st_mode & 0o077 == 0
    status = run.rstar("status", str(run.home))
    assert "executor" in status
    assert "run small: demo" in run.rstar("run", str(run.recipe), "--slurm.nodes=3")
    logs = {file.stem for file in (run.home / "logs").glob("executor-*.log")}
    assert {name.split("-")[1] for name in logs} == {"n1", "n2", "n3"}
    check(run, undisturbed)


def test_a_node_that_fails_in_mid_search_costs_only_time(
    cluster: SlurmCluster, undisturbed: dict[str, Tree], tmp_path: Path
) -> None:
    run = SubmittedRun(tmp_path / "run", cluster, DELAY)
    job = run.submit()
    run.wait_for_search()
    cluster.fail_node("n1")  # the batch node, with coordinator, brokers and trainer
    run.wait_for(lambda: cluster.is_down("n1"), "the failure")
    cluster.start_node("n1")
    run.wait_for(lambda: job not in cluster.jobs(), "the end of the job")
    check(run, undisturbed)


def test_a_job_queued_again_goes_on_and_an_array_comes_and_leaves(
    cluster: SlurmCluster, undisturbed: dict[str, Tree], tmp_path: Path
) -> None:
    run = SubmittedRun(tmp_path / "run", cluster, 4 * DELAY)
    job = run.submit("--slurm.nodes", "1")
    run.wait_for_search()
    said = run.rstar("workers", "executor", "--join", str(run.home), "--array", "2")
    array = said.partition("job ")[2].split(":")[0]
    run.wait_for(lambda: run.workers_joined("executor-n[23]-*") == 2, "the array's workers")
    assert run.is_searching()
    cluster.run("scontrol", "requeue", job)
    run.wait_for(lambda: cluster.state(job) == "PENDING", "the job in the queue")
    run.wait_for(lambda: cluster.state(job) == "RUNNING", "its second start")
    cluster.run("scancel", f"{array}_1")
    run.wait_for(lambda: job not in cluster.jobs(), "the end of the job")
    run.wait_for(lambda: cluster.jobs() == [], "the array leaving a run that is over")
    check(run, undisturbed)


def test_scancel_leaves_nothing_and_the_same_command_continues(
    cluster: SlurmCluster, undisturbed: dict[str, Tree], tmp_path: Path
) -> None:
    run = SubmittedRun(tmp_path / "run", cluster, DELAY)
    job = run.submit()
    run.wait_for_search()
    cluster.run("scancel", job)
    run.wait_for(lambda: cluster.jobs() == [], "the job's end")
    run.wait_for(lambda: run.processes() == [], "the end of all processes")
    assert run.is_searching()
    assert read_endpoints(run.home) is None
    run.submit()
    run.wait_for(lambda: cluster.jobs() == [], "the end of the second job")
    check(run, undisturbed)


def test_a_job_whose_time_is_nearly_up_drains_and_is_queued_again(
    cluster: SlurmCluster, tmp_path: Path
) -> None:
    run = SubmittedRun(tmp_path / "run", cluster, DELAY)
    job = run.submit("--slurm.time", "00:02:00", "--slurm.nodes", "1")
    run.wait_for(lambda: "Restarts=1" in cluster.run("scontrol", "show", "job", job), "a restart")
    cluster.run("scancel", job)
    run.wait_for(lambda: cluster.jobs() == [], "the end of the job")
    run.wait_for(lambda: run.processes() == [], "the end of all processes")
    assert f"the time of job {job} is up: queueing it again" in run.output()
