"""The command line of `python -m workers`."""

import subprocess
import sys
from pathlib import Path

import pytest

from workers.__main__ import main


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("inference --endpoint ipc:///tmp/x --models /nowhere", "no folder of models /nowhere"),
        ("inference --endpoint tcp://h:99999 --models {tmp}", "no valid port"),
        ("reward --endpoint tcp://10.0.0.1:5 --models {tmp}", "rstar keys"),
        ("reward --endpoint ipc:///tmp/x --models {tmp} --keys {tmp}", "curve.key"),
        ("inference --endpoint ipc:///tmp/x --models {tmp} --engine sglang --url h:1", "--url h:1"),
        ("inference --endpoint ipc:///x --models {tmp} --engine openai", "needs the --url"),
        (
            "reward --endpoint ipc:///x --models {tmp} --engine openai --url http://h",
            "the engine openai does not score steps",
        ),
        ("inference --endpoint ipc:///x --models {tmp} --engine lokal", "did you mean 'local'?"),
        ("reward --endpoint ipc:///x --models {tmp} --cache-mib -5", "--cache-mib: Expected"),
        (
            "reward --endpoint ipc:///x --models {tmp} --server-arguments=--tp",
            "no option --server-arguments=--tp with the engine local",
        ),
        ("reward --endpoint ipc:///x --models {tmp} --engine sglang --launch x", "must name"),
        (
            "reward --endpoint ipc:///x --models {tmp} --engine sglang --launch nix_{{model}}",
            "must name",
        ),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: str, complaint: str
) -> None:
    assert main(words.format(tmp=tmp_path).split()) == 2
    error = capsys.readouterr().err
    assert error.startswith("workers: ")
    assert complaint in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("rows", ["0", "-1", "many"])
def test_an_invalid_number_is_refused_by_name(
    capsys: pytest.CaptureFixture[str], rows: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["inference", "--endpoint", "ipc:///x", "--models", "/tmp", "--rows", rows])
    assert ended.value.code == 2
    assert "--rows" in capsys.readouterr().err


def test_torch_is_not_imported_to_show_help_or_to_run_programs() -> None:
    code = "import sys, workers.__main__, workers.executor; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
