"""An engine of a package outside is found by its entry point and used by the real commands."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rstar_async.engines.registry import BUILT_IN, engine_names, find_engine
from rstar_async.errors import BadInput
from tests.evaluation.scripted_run import make_run

ENGINE = '''
"""An engine that says what it was asked, then answers as the scripted one does."""

from pathlib import Path

import msgspec

from rstar_async.engines.registry import EngineSpec
from workers.engines.scripted import ScriptedEngine, ScriptedScorer


class Settings(msgspec.Struct):
    log: str


class Logging(ScriptedEngine):
    def __init__(self, models_dir: Path, settings: Settings) -> None:
        super().__init__(models_dir)
        self._log = Path(settings.log)

    async def generate(self, request):
        with self._log.open("a") as log:
            log.write(f"{request.model}\\n")
        return await super().generate(request)


class Scorer(ScriptedScorer):
    def __init__(self, models_dir: Path, settings: Settings) -> None:
        super().__init__(models_dir)


SPEC = EngineSpec(
    name="logging",
    summary="tells a file what it was asked",
    generator="logging_engine:Logging",
    scorer="logging_engine:Scorer",
    settings="logging_engine:Settings",
)
'''


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder with an installed distribution that has the engine `logging` and a broken one."""
    folder = tmp_path / "site"
    info = folder / "logging_engine-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "logging_engine.py").write_text(ENGINE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: logging-engine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[rstar_async.engines]\nlogging = logging_engine:SPEC\nbroken = no_such_module:SPEC\n"
    )
    return folder


def solve(home: Path, package: Path, *words: str) -> subprocess.CompletedProcess[str]:
    argv = ("solve", "What is 3 + 4 + 5?", "--model", str(home), "--trajectories", "1", "--json")
    paths = os.pathsep.join([str(package), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "rstar_async.cli", *argv, *words],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": paths},
    )


def test_an_engine_from_outside_serves_a_search(tmp_path: Path, package: Path) -> None:
    home, log = tmp_path / "run", tmp_path / "asked.log"
    recipe = make_run(home)
    done = solve(*(home, package, "--workers.engine", "logging"), "--workers.options.log", str(log))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["trajectories"] == 1
    assert set(log.read_text().split()) <= {path.name for path in recipe.models_folder.iterdir()}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--workers.engine", "broken"), "(no_such_module:SPEC) cannot be imported"),
        (("--workers.engine", "loging"), "did you mean 'logging'?"),
        (("--workers.engine", "logging", "--workers.options.lgo", "x"), "has no option --lgo=x"),
        (("--workers.engine", "logging"), "the engine needs the option --log"),
    ],
)
def test_what_is_wrong_with_an_engine_is_one_line(
    tmp_path: Path, package: Path, words: tuple[str, ...], complaint: str
) -> None:
    make_run(tmp_path / "run")
    done = solve(tmp_path / "run", package, *words)
    assert done.returncode == 2
    assert complaint in done.stderr.splitlines()[-1]


def test_what_a_spec_names_can_be_imported() -> None:
    from workers.engines.factory import resolve

    for spec in BUILT_IN:
        for target in (spec.generator, spec.scorer, spec.settings):
            assert not target or callable(resolve(spec, target))


def test_an_unknown_engine_is_refused_with_the_known_names() -> None:
    assert engine_names()[: len(BUILT_IN)] == ["local", "sglang", "openai", "scripted"]
    with pytest.raises(BadInput, match="known are local, sglang, openai, scripted"):
        find_engine("something else")
