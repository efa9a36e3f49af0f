"""`rstar sandbox check`: what it prints, and when it fails."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from rstar_async.cli.main import main
from rstar_async.cli.sandbox import exit_code
from workers.sandbox.selftest.corpus import Verdict, judge

from .conftest import CORPUS
from .test_confinement import THIEF


@pytest.fixture
def folder(tmp_path):
    for name in ("attacks/fs_bad_path_pointers.py", "benign/array_base_conv.py"):
        shutil.copy(CORPUS / name, tmp_path)
    shutil.copy(CORPUS / "benign/array_base_conv.out", tmp_path)
    return tmp_path


def rstar(*words):
    """In a thread of its own: the sandbox that tests share keeps trio running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(main, list(words)).result()


def check(capsys, folder, *options):
    code = rstar("sandbox", "check", *options, str(folder))
    return code, capsys.readouterr().out


def test_the_table_shows_the_outcome_of_each_program(folder, capsys):
    code, text = check(capsys, folder)
    assert code == 0
    assert "fs_bad_path_pointers" in text
    assert "2 of 2 as expected, 0 processes left over" in text


def test_a_breach_or_a_broken_benign_program_is_exit_code_one(folder, capsys):
    (folder / "liar.py").write_text("# correct: denied\nprint('BREACH [red]')")
    (folder / "array_base_conv.out").write_text("something else")
    code, text = check(capsys, folder, "--incremental", "--json")
    seen = {program["name"]: program for program in json.loads(text)["programs"]}
    assert code == 1
    assert (seen["liar"]["seen"], seen["liar"]["good"]) == ("BREACH", False)
    assert not seen["array_base_conv"]["good"]
    assert seen["fs_bad_path_pointers"]["good"]


CONTENT = Verdict("p", "attack", True, "denied", "denied", True, 0.1)


@pytest.mark.parametrize(
    ("verdict", "left_over", "code"),
    [
        (CONTENT, [], 0),
        (replace(CONTENT, good=False), [], 1),
        (replace(CONTENT, canary=False), [], 1),
        (CONTENT, [4711], 1),
    ],
)
def test_a_harmed_canary_or_a_process_left_over_is_exit_code_one(verdict, left_over, code):
    assert exit_code([CONTENT, verdict], left_over) == code


async def test_a_changed_canary_is_noticed(sandbox, folder):
    canaries = {"plain": ("print('I am', 'ill')", "I am well\n")}
    verdict = await judge(sandbox, folder / "fs_bad_path_pointers.py", canaries=canaries)
    assert (verdict.seen, verdict.canary, verdict.good) == ("denied", False, False)


def test_a_process_that_escapes_is_killed_while_the_check_goes_on(tmp_path, capsys):
    """A node forks by stealing the permit that was meant for its successor."""
    (tmp_path / "thief.py").write_text(f"# correct: killed error\nexec({THIEF!r})\n6 * 7\n")
    code, text = check(capsys, tmp_path, "--incremental", "--json")
    document = json.loads(text)
    assert [program["good"] for program in document["programs"]] == [True]
    assert document["left_over"] == []
    assert code == 0


def test_options_may_follow_the_folders(folder):
    assert rstar("sandbox", "check", str(folder), "--incremental", "--json") == 0


def test_a_check_of_nothing_is_refused(capsys):
    assert rstar("sandbox", "check") == 2
    assert "required: FOLDER" in capsys.readouterr().err


def test_fuzzing_tells_how_the_rounds_ended(capsys):
    assert rstar("sandbox", "fuzz", "--seconds", "0.1", "--seed", "5", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["rounds"] == sum(document["endings"].values()) >= 1
    assert (document["harmed"], document["left_over"]) == ([], [])
