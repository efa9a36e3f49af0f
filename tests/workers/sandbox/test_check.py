"""`rstar sandbox check`: what it prints, and when it is not content."""

import json
import shutil

import pytest

from rstar_async.cli import main

from .conftest import CORPUS


@pytest.fixture
def folder(tmp_path):
    for name in ("attacks/fs_bad_path_pointers.py", "benign/array_base_conv.py"):
        shutil.copy(CORPUS / name, tmp_path)
    shutil.copy(CORPUS / "benign/array_base_conv.out", tmp_path)
    return tmp_path


def check(capsys, folder, *options):
    code = main(["sandbox", "check", str(folder), *options])
    return code, capsys.readouterr().out


def test_a_table_tells_what_became_of_each_program(folder, capsys):
    code, text = check(capsys, folder)
    assert code == 0
    assert "fs_bad_path_pointers" in text
    assert "2 of 2 as they should be, 0 processes left over" in text


def test_a_breach_or_a_broken_benign_program_is_exit_code_one(folder, capsys):
    (folder / "liar.py").write_text("# correct: denied\nprint('BREACH [red]')")
    (folder / "array_base_conv.out").write_text("something else")
    code, text = check(capsys, folder, "--incremental", "--json")
    seen = {program["name"]: program for program in json.loads(text)["programs"]}
    assert code == 1
    assert (seen["liar"]["seen"], seen["liar"]["good"]) == ("BREACH", False)
    assert not seen["array_base_conv"]["good"]
    assert seen["fs_bad_path_pointers"]["good"]
