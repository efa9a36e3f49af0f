from pathlib import Path

import pytest
from msgspec import structs

from rstar_async.config import SlurmConfig
from rstar_async.errors import BadInput
from rstar_async.launch.slurm.commands import JobState, seconds_of
from rstar_async.launch.slurm.script import Job, directives, literal, render

RUN = Job(
    name="rstar-demo",
    command=("python", "-m", "thing", "/home/my runs/demo"),
    output=Path("/h/slurm/run.log"),
    folder=Path("/here"),
)
ARRAY = Job(name="more", command=("w",), output=Path("/h/w-%A_%a.log"), folder=Path("/"), tasks=16)


def test_the_script_executes_the_command_so_that_signals_reach_it() -> None:
    script = render(RUN, SlurmConfig(partition="gpu"))
    assert script.startswith("#!/bin/bash\n#SBATCH --job-name=rstar-demo\n")
    assert script.endswith("\n\nexec python -m thing '/home/my runs/demo'\n")


def test_a_job_drains_before_its_end_is_queued_again_and_keeps_its_output() -> None:
    given = directives(RUN, SlurmConfig(nodes=3))
    assert {"--signal=B:TERM@120", "--requeue", "--open-mode=append", "--nodes=3"} <= {*given}


def test_the_settings_become_options_and_those_left_out_do_not() -> None:
    slurm = SlurmConfig(partition="gpu", time="12:00:00", gpus=4, memory="64G", cpus=8, account="a")
    given = directives(RUN, slurm)
    for line in (
        *("--partition=gpu", "--time=12:00:00", "--gpus-per-node=4", "--mem=64G"),
        *("--cpus-per-task=8", "--account=a"),
    ):
        assert line in given
    assert not any(line.startswith(("--qos", "--exclusive")) for line in given)
    assert "--exclusive" in directives(RUN, SlurmConfig(partition="gpu"))


def test_the_users_own_options_come_last_because_the_last_one_wins() -> None:
    assert directives(RUN, SlurmConfig(options=("--nodes=1-4",)))[-1] == "--nodes=1-4"


def test_an_array_has_one_node_for_each_of_its_jobs() -> None:
    given = directives(ARRAY, SlurmConfig(nodes=3))
    assert {"--array=1-16", "--nodes=1", "--output=/h/w-%A_%a.log"} <= {*given}


def test_a_folder_with_a_blank_is_quoted_as_sbatch_reads_it() -> None:
    job = structs.replace(RUN, folder=Path("/my runs"), output=Path("/my runs/%j.log"))
    assert {'--chdir="/my runs"', '--output="/my runs/%j.log"'} <= {*directives(job, SlurmConfig())}


def test_a_percent_sign_in_a_folder_is_no_pattern() -> None:
    assert literal(Path("/a%b")) == Path("/a%%b")


def test_setup_lines_run_before_the_command() -> None:
    lines = render(RUN, SlurmConfig(setup=("module load cuda", "ulimit -n 4096"))).splitlines()
    assert lines[-3:-1] == ["module load cuda", "ulimit -n 4096"]


def test_a_template_of_ones_own_is_filled() -> None:
    own = "#!/bin/sh\n{directives}\n. /env\n{setup}\n{command}; echo over\n"
    script = render(RUN, SlurmConfig(nodes=1), own)
    assert script.splitlines()[-1] == "python -m thing '/home/my runs/demo'; echo over"
    assert "\n. /env\n" in script


def test_a_template_without_a_place_for_the_command_is_refused() -> None:
    with pytest.raises(BadInput, match=r"slurm.template my.sh: it has no \{command\}"):
        render(RUN, SlurmConfig(template="my.sh"), "#!/bin/sh\n{directives}\n")


@pytest.mark.parametrize(
    ("left", "seconds"),
    [("30", 30), ("1:30", 90), ("2:00:01", 7201), ("1-00:00:00", 86400), ("UNLIMITED", None)],
)
def test_the_time_left_is_read_as_squeue_writes_it(left: str, seconds: int | None) -> None:
    assert seconds_of(left) == (float("inf") if seconds is None else seconds)


def test_a_job_that_is_ending_no_longer_holds_the_run() -> None:
    assert JobState("PENDING", "(Resources)", 60).holds_the_run
    assert not JobState("COMPLETING", "n1", 60).holds_the_run
