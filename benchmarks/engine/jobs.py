"""What a child process is asked and what it answers, as JSON.

Standard library only: other projects' interpreters import it.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.engine.workload import Shape, TokenIds


class Request(NamedTuple):
    """Continue each prompt `candidates` times by exactly `new_tokens`; temperature 0 is greedy."""

    prompts: list[TokenIds]
    candidates: int
    new_tokens: int
    temperature: float


# The new ids alone, all candidates of the first prompt first.
Generate = Callable[[Request], list[TokenIds]]


@dataclass(frozen=True)
class Job:
    """`model` is a Hugging Face folder that names no end of text, `gguf` the same in GGUF or "";
    `sequence_tokens` is the length of the longest sequence."""

    model: str
    gguf: str
    precision: str
    threads: int
    shapes: list[Shape]
    repeats: int
    new_tokens: int
    levels: int
    sequence_tokens: int
    questions: list[TokenIds]
    greedy: list[TokenIds]

    @property
    def most_sequences(self) -> int:
        return max(shape.sequences for shape in self.shapes)


@dataclass(frozen=True)
class Spent:
    """CPU seconds of all threads and children, and seconds on the clock."""

    cpu: float
    wall: float

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.cpu + other.cpu, self.wall + other.wall)

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(self.cpu - other.cpu, self.wall - other.wall)


@dataclass(frozen=True)
class Measured:
    """One shape: `prefill` gives each sequence one token, `first` all of them, both after
    `prompt_tokens` of fresh questions; `later` are all levels after the first. `cut` counts the
    answers that ended before their time."""

    shape: Shape
    prompt_tokens: int
    prefill: Spent
    first: Spent
    later: Spent
    cut: int


@dataclass(frozen=True)
class Answers:
    """What came of one job; `why` says in a line why not all of it was done."""

    greedy: list[TokenIds]
    measured: list[Measured]
    why: str = ""


def write_job(job: Job, file: Path) -> None:
    file.write_text(json.dumps(asdict(job)))


def read_job(file: Path) -> Job:
    fields = json.loads(file.read_text())
    return Job(**{**fields, "shapes": [Shape(*shape) for shape in fields["shapes"]]})


def append_line(file: Path, content: Any) -> None:
    """What is done stays done, whatever happens to the child afterwards."""
    with file.open("a") as stream:
        stream.write(json.dumps(content) + "\n")


def read_answers(file: Path, why: str = "") -> Answers:
    """The lines of a child: first its greedy ids, then a line for each shape."""
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    return Answers(lines[0] if lines else [], [_measured(line) for line in lines[1:]], why)


def _measured(fields: dict[str, Any]) -> Measured:
    spent = {name: Spent(**fields[name]) for name in ("prefill", "first", "later")}
    return Measured(**{**fields, "shape": Shape(*fields["shape"]), **spent})
