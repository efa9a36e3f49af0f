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
    """A script that waits for processes which say their pid."""
    return "; ".join(f"until [ -s {home / name}.pid ]; do sleep 0.01; done" for name in names)


class Ears:
    """Hears what the user is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, line: str) -> None:
        self.lines.append(line)


async def run(specs: list[ProcessSpec], home: Path, ears: Ears | None = None) -> int:
    return await run_processes(specs, home / "logs", say=ears or Ears(), patience=QUICK)


def is_running(pid_file: Path) -> bool:
    return Path(f"/proc/{int(pid_file.read_text())}").exists()


async def test_a_process_that_dies_is_started_again(tmp_path: Path) -> None:
    ears = Ears()
    script = "if [ -e $0 ]; then exit 0; else touch $0; exit 7; fi"
    assert await run([main_process(script, tmp_path)], tmp_path, ears) == 0
    assert ears.lines == ["main ended (exit code 7), starting it again in 0.01 s"]


async def test_a_killed_process_is_started_again(tmp_path: Path) -> None:
    script = "if [ -e $0 ]; then exit 0; else touch $0; kill -9 $$; fi"
    assert await run([main_process(script, tmp_path)], tmp_path) == 0


async def test_one_that_keeps_dying_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    ears = Ears()
    script = f"{until_started('other', home=tmp_path)}; echo x >> $0; echo out of luck >&2; exit 3"
    specs = [shell("unlucky", script, tmp_path), shell("other", FOREVER, tmp_path)]
    assert await run(specs, tmp_path, ears) == 1
    assert (tmp_path / "unlucky").read_text() == "x\n" * QUICK.deaths
    assert "unlucky died 3 times" in ears.lines[-1]
    assert "logs/unlucky.log" in ears.lines[-1]
    assert "out of luck" in ears.lines[-1]
    assert not is_running(tmp_path / "other.pid")


async def test_bad_input_is_passed_on_and_not_tried_again(tmp_path: Path) -> None:
    ears = Ears()
    script = "echo x >> $0; echo problems.jsonl, line 7: no answer >&2; exit 2"
    assert await run([shell("picky", script, tmp_path)], tmp_path, ears) == 2
    assert ears.lines == ["problems.jsonl, line 7: no answer"]
    assert (tmp_path / "picky").read_text() == "x\n"


async def test_a_run_whose_folder_is_taken_away_ends_and_says_so(tmp_path: Path) -> None:
    ears = Ears()
    home = tmp_path / "home"
    specs = [
        shell("main", FOREVER, tmp_path, ends_run=True),
        shell("thief", f"until [ -s {tmp_path}/main.pid ]; do :; done; rm -r {home}", tmp_path),
    ]
    assert await run(specs, home, ears) == 2
    (line,) = ears.lines
    assert line.startswith(f"{home} was deleted or moved")
    assert not is_running(tmp_path / "main.pid")
    assert not home.exists()


async def test_logs_may_be_deleted_and_are_begun_again(tmp_path: Path) -> None:
    script = f"if [ -e $0 ]; then exit 0; else touch $0; rm -r {tmp_path}/logs; exit 7; fi"
    assert await run([main_process(script, tmp_path)], tmp_path) == 0
    assert (tmp_path / "logs" / "main.log").is_file()


async def test_another_folder_of_its_name_is_not_mistaken_for_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    script = f"mv {home} {home}.away; mkdir -p {home}/logs; echo $$ > $0.pid; exec sleep 1000"
    assert await run([main_process(script, tmp_path)], home, Ears()) == 2
    assert not is_running(tmp_path / "main.pid")


async def test_a_program_that_is_not_there_is_given_up(tmp_path: Path) -> None:
    ears = Ears()
    spec = ProcessSpec(name="ghost", argv=("/no/such/program",))
    assert await run([spec], tmp_path, ears) == 1
    assert "/no/such/program" in ears.lines[-1]


async def test_when_the_run_is_complete_all_others_are_stopped(tmp_path: Path) -> None:
    specs = [
        shell("one", FOREVER, tmp_path),
        shell("two", FOREVER, tmp_path),
        main_process(until_started("one", "two", home=tmp_path), tmp_path),
    ]
    assert await run(specs, tmp_path) == 0
    assert not is_running(tmp_path / "one.pid")
    assert not is_running(tmp_path / "two.pid")


async def test_who_must_be_there_to_the_end_is_started_again_even_after_success(
    tmp_path: Path,
) -> None:
    specs = [
        shell("worker", "echo x >> $0; [ -e $0.pid ] || { touch $0.pid; exit 0; }", tmp_path),
        main_process(
            f'until [ "$(wc -l < {tmp_path}/worker)" = 2 ]; do sleep 0.01; done', tmp_path
        ),
    ]
    assert await run(specs, tmp_path) == 0


async def test_groups_are_stopped_in_order_each_before_the_next(tmp_path: Path) -> None:
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


async def test_one_that_will_not_stop_is_killed_after_its_grace(tmp_path: Path) -> None:
    stubborn = 'trap "" TERM; echo $$ > $0.pid; while :; do sleep 0.05; done'
    specs = [
        shell("stubborn", stubborn, tmp_path, grace_seconds=0.2),
        main_process(until_started("stubborn", home=tmp_path), tmp_path),
    ]
    started = time.monotonic()
    assert await run(specs, tmp_path) == 0
    assert time.monotonic() - started < 5
    assert not is_running(tmp_path / "stubborn.pid")


async def test_what_a_dead_process_had_started_dies_too(tmp_path: Path) -> None:
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


async def test_children_of_others_in_this_process_are_left_alone(
    tmp_path: Path, bystander: subprocess.Popen[bytes]
) -> None:
    assert await run([main_process("exit 0", tmp_path)], tmp_path) == 0
    assert bystander.poll() is None


async def test_the_environment_is_the_launchers_with_the_specs_on_top(tmp_path: Path) -> None:
    env = {"RSTAR_TRIAL": "yes"}
    script = 'echo "$RSTAR_TRIAL $HOME" > $0'
    assert await run([main_process(script, tmp_path, env=env)], tmp_path) == 0
    assert (tmp_path / "main").read_text() == f"yes {os.environ['HOME']}\n"
