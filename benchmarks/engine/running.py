"""Starts what is measured: each contender in a child process of its own, one after another."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.engine.contenders import GGUF_TYPES, Contender
from benchmarks.engine.environments import Unavailable, interpreter, last_line, shortened
from benchmarks.engine.jobs import Answers, Job, read_answers, write_job
from benchmarks.engine.limits import Machine

ROOT = Path(__file__).parents[2]
ERROR = re.compile(r"^[\w.]*(Error|Exception)\b", re.MULTILINE)
OFFLINE = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


@dataclass(frozen=True)
class Place:
    """`work` is emptied at the end; `environments` is kept. A child that is not done after
    `patience` seconds is ended, and what it has measured counts."""

    work: Path
    environments: Path
    patience: float

    @property
    def model(self) -> Path:
        return self.work / "models" / "policy"


def prepare_model(base: str, place: Place) -> None:
    _run_module("benchmarks.engine.checkpoint", base, str(place.model))


def measure_machine(threads: int, model_bytes: float, rows: int) -> tuple[Machine, Machine]:
    """What is possible by the CPU second, and by the second."""
    arguments = (str(threads), str(round(model_bytes)), str(rows))
    found = json.loads(_run_module("benchmarks.engine.machine", *arguments, threads=threads))
    by_cpu, by_clock = (
        Machine(
            found["bandwidth"][kind],
            {name: rates[kind] for name, rates in found["operations"].items()},
        )
        for kind in (0, 1)
    )
    return by_cpu, by_clock


def measure_contender(contender: Contender, job: Job, place: Place) -> Answers:
    """What the child could do; `why` in it is "" if that is everything."""
    try:
        engine = contender.engine
        python = Path(sys.executable)
        if engine.packages:
            python = interpreter(place.environments, engine.name, engine.packages, engine.unwanted)
        gguf = _gguf(contender.precision, place)
        job = replace(job, gguf=gguf, precision=contender.precision)
        return _measure(contender, python, job, place)
    except Unavailable as reason:
        return Answers([], [], str(reason))


def _measure(contender: Contender, python: Path, job: Job, place: Place) -> Answers:
    name = str(contender).replace(" ", "-")
    asked, answers = (place.work / f"{name}.{kind}" for kind in ("json", "jsonl"))
    log = place.work / f"{name}.log"
    write_job(job, asked)
    command = [str(python), "-m", "benchmarks.engine.child", contender.engine.module]
    print(f"measuring {name}", file=sys.stderr, flush=True)
    with log.open("wb") as stream:
        try:
            done = subprocess.run(
                [*command, str(asked), str(answers)],
                env=_environment(job.threads, ours=not contender.engine.packages),
                stdout=stream,
                stderr=subprocess.STDOUT,
                timeout=place.patience,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return read_answers(answers, f"not done after {place.patience:g} s")
    why = "" if done.returncode == 0 else f"exit code {done.returncode}: {_reason(log)}"
    found = read_answers(answers)
    return found if len(found.measured) == len(job.shapes) else replace(found, why=why)


def _reason(log: Path) -> str:
    """The last error in it, which may have several lines."""
    text = log.read_text(errors="replace")
    errors = list(ERROR.finditer(text))
    return shortened(text[errors[-1].start() :]) if errors else last_line(text)


def _gguf(precision: str, place: Place) -> str:
    """The file in that type, made once; "" for what is no type of GGUF."""
    if precision not in GGUF_TYPES:
        return ""
    file = place.work / f"model-{precision}.gguf"
    if not file.exists():
        _run_module("benchmarks.engine.gguf_file", str(place.model), precision, str(file))
    return str(file)


def _run_module(module: str, *arguments: str, threads: int = 1) -> str:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(
        command, env=_environment(threads), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise Unavailable(f"{module.rpartition('.')[2]}: {last_line(done.stderr)}")
    return done.stdout


def _environment(threads: int, *, ours: bool = True) -> dict[str, str]:
    """Other interpreters find this project and nothing else that ours was told to find."""
    told = os.environ.get("PYTHONPATH") if ours else None
    path = os.pathsep.join(filter(None, (str(ROOT), told)))
    return {**os.environ, **OFFLINE, "PYTHONPATH": path, "OMP_NUM_THREADS": str(threads)}
