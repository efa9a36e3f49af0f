"""Real small processes under a supervisor in this process."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rstar_async.launch.backoff import Backoff
from rstar_async.launch.processes import ProcessSpec
from rstar_async.launch.supervisor import run_processes

QUICK = Backoff(young_seconds=10, deaths=3, first_wait=0.01)
FOREVER = "echo $$ > $0.pid; exec sleep 1000"


def shell(name: str, script: str, home: Path, **settings: object) -> ProcessSpec:
    """A process that runs `script`, where $0 is a file name of its own."""
    argv = ("sh", "-c", script, str(home / name))
    return ProcessSpec(name=name, argv=argv, **settings)  # type: ignore[arg-type]


def main_process(script: str, home: Path, **settings: object) -> ProcessSpec:
    return shell("main", script, home, ends_run=True, **settings)


def until_started(*names: str, home: Path) -> str:
    """A script that waits until these processes have written their pid."""
    return "; ".join(f"until [ -s {home / name}.pid ]; do sleep 0.01; done" for name in names)


class Reports:
    """The lines that the user is shown."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, line: str) -> None:
        self.lines.append(line)


async def run(specs: list[ProcessSpec], home: Path, reports: Reports | None = None) -> int:
    return await run_processes(specs, home / "logs", report=reports or Reports(), backoff=QUICK)


def is_running(pid_file: Path) -> bool:
    return Path(f"/proc/{int(pid_file.read_text())}").exists()


async def test_a_process_that_dies_is_started_again(tmp_path: Path) -> None:
    reports = Reports()
    script = "if [ -e $0 ]; then exit 0; else touch $0; exit 7; fi"
    assert await run([main_process(script, tmp_path)], tmp_path, reports) == 0
    assert reports.lines == ["main ended (exit code 7), starting it again in 0.01 s"]


async def test_a_killed_process_is_started_again(tmp_path: Path) -> None:
    script = "if [ -e $0 ]; then exit 0; else touch $0; kill -9 $$; fi"
    assert await run([main_process(script, tmp_path)], tmp_path) == 0


async def test_a_process_that_keeps_dying_is_given_up_with_its_last_lines(
    tmp_path: Path,
) -> None:
    reports = Reports()
    script = f"{until_started('other', home=tmp_path)}; echo x >> $0; echo out of luck >&2; exit 3"
    specs = [shell("unlucky", script, tmp_path), shell("other", FOREVER, tmp_path)]
    assert await run(specs, tmp_path, reports) == 1
    assert (tmp_path / "unlucky").read_text() == "x\n" * QUICK.deaths
    assert "unlucky died 3 times" in reports.lines[-1]
    assert "logs/unlucky.log" in reports.lines[-1]
    assert "out of luck" in reports.lines[-1]
    assert not is_running(tmp_path / "other.pid")


async def test_bad_input_is_passed_on_and_not_retried(tmp_path: Path) -> None:
    reports = Reports()
    script = "echo x >> $0; echo problems.jsonl, line 7: no answer >&2; exit 2"
    assert await run([shell("picky", script, tmp_path)], tmp_path, reports) == 2
    assert reports.lines == ["problems.jsonl, line 7: no answer"]
    assert (tmp_path / "picky").read_text() == "x\n"


async def test_a_process_that_gives_up_ends_the_run_with_its_reason(tmp_path: Path) -> None:
    reports = Reports()
    script = "echo x >> $0; echo 'rstar: 3 of 3 problems could not be measured' >&2; exit 75"
    assert await run([main_process(script, tmp_path)], tmp_path, reports) == 1
    assert (tmp_path / "main").read_text() == "x\n"
    assert reports.lines == ["3 of 3 problems could not be measured"]


async def test_a_run_whose_home_is_deleted_ends_with_a_message(tmp_path: Path) -> None:
    reports = Reports()
    home = tmp_path / "home"
    specs = [
        shell("main", FOREVER, tmp_path, ends_run=True),
        shell("remover", f"until [ -s {tmp_path}/main.pid ]; do :; done; rm -r {home}", tmp_path),
    ]
    assert await run(specs, home, reports) == 2
    (line,) = reports.lines
    assert line.startswith(f"{home} was deleted or moved")
    assert not is_running(tmp_path / "main.pid")
    assert not home.exists()


async def test_deleted_logs_are_created_again(tmp_path: Path) -> None:
    script = f"if [ -e $0 ]; then exit 0; else touch $0; rm -r {tmp_path}/logs; exit 7; fi"
    assert await run([main_process(script, tmp_path)], tmp_path) == 0
    assert (tmp_path / "logs" / "main.log").is_file()


async def test_a_new_folder_in_place_of_the_home_is_not_mistaken_for_it(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    script = f"mv {home} {home}.away; mkdir -p {home}/logs; echo $$ > $0.pid; exec sleep 1000"
    assert await run([main_process(script, tmp_path)], home, Reports()) == 2
    assert not is_running(tmp_path / "main.pid")


async def test_a_missing_program_is_given_up(tmp_path: Path) -> None:
    reports = Reports()
    spec = ProcessSpec(name="ghost", argv=("/no/such/program",))
    assert await run([spec], tmp_path, reports) == 1
    assert "/no/such/program" in reports.lines[-1]


async def test_when_the_run_is_complete_all_others_are_stopped(tmp_path: Path) -> None:
    specs = [
        shell("one", FOREVER, tmp_path),
        shell("two", FOREVER, tmp_path),
        main_process(until_started("one", "two", home=tmp_path), tmp_path),
    ]
    assert await run(specs, tmp_path) == 0
    assert not is_running(tmp_path / "one.pid")
    assert not is_running(tmp_path / "two.pid")


async def test_a_process_that_must_run_to_the_end_is_restarted_even_after_success(
    tmp_path: Path,
) -> None:
    specs = [
        shell("worker", "echo x >> $0; [ -e $0.pid ] || { touch $0.pid; exit 0; }", tmp_path),
        main_process(
            f'until [ "$(wc -l < {tmp_path}/worker)" = 2 ]; do sleep 0.01; done', tmp_path
        ),
    ]
    assert await run(specs, tmp_path) == 0


async def test_groups_are_stopped_one_after_another_in_order(tmp_path: Path) -> None:
    ends = tmp_path / "ends"
    say = f"basename $0 >> {ends}"
    script = (
        f'trap "{say}; sleep 0.1; {say}; exit" TERM; touch $0.ready; while :; do sleep 0.01; done'
    )
    names = ["third", "first", "second"]
    orders = {"first": 0, "second": 1, "third": 2}
    all_ready = " && ".join(f"[ -e {tmp_path}/{name}.ready ]" for name in names)
    specs = [shell(name, script, tmp_path, stop_order=orders[name]) for name in names]
    specs.append(main_process(f"until {all_ready}; do sleep 0.01; done", tmp_path))
    assert await run(specs, tmp_path) == 0
    assert ends.read_text().split() == ["first", "first", "second", "second", "third", "third"]


async def test_a_process_that_does_not_stop_is_killed_after_its_grace(tmp_path: Path) -> None:
    stubborn = 'trap "" TERM; echo $$ > $0.pid; while :; do sleep 0.05; done'
    specs = [
        shell("stubborn", stubborn, tmp_path, grace_seconds=0.2),
        main_process(until_started("stubborn", home=tmp_path), tmp_path),
    ]
    started = time.monotonic()
    assert await run(specs, tmp_path) == 0
    assert time.monotonic() - started < 5
    assert not is_running(tmp_path / "stubborn.pid")


async def test_processes_started_by_a_dead_process_are_killed(tmp_path: Path) -> None:
    script = (
        "sleep 1000 & echo $! > $0.same_group.pid; "
        "setsid sleep 1000 & echo $! > $0.own_session.pid; sleep 0.1"
    )
    assert await run([main_process(script, tmp_path)], tmp_path) == 0
    assert not is_running(tmp_path / "main.same_group.pid")
    assert not is_running(tmp_path / "main.own_session.pid")


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


async def test_other_children_of_this_process_are_left_alone(
    tmp_path: Path, bystander: subprocess.Popen[bytes]
) -> None:
    assert await run([main_process("exit 0", tmp_path)], tmp_path) == 0
    assert bystander.poll() is None


async def test_the_spec_adds_to_the_launchers_environment(tmp_path: Path) -> None:
    env = {"RSTAR_TRIAL": "yes"}
    script = 'echo "$RSTAR_TRIAL $HOME" > $0'
    assert await run([main_process(script, tmp_path, env=env)], tmp_path) == 0
    assert (tmp_path / "main").read_text() == f"yes {os.environ['HOME']}\n"
