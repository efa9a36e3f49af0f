"""`python -m benchmarks.engine.child MODULE JOB ANSWERS`: one engine in a process of its own.

MODULE has `serve(job, measure)`: it opens the engine, gives `measure` the function that generates,
and closes the engine. Standard library only, beside what MODULE itself imports.
"""

import importlib
import sys
from functools import partial
from pathlib import Path

from benchmarks.engine.jobs import read_job
from benchmarks.engine.measuring import measure


def main(module: str, job_file: str, answers: str) -> None:
    job = read_job(Path(job_file))
    importlib.import_module(module).serve(job, partial(measure, job, Path(answers)))


if __name__ == "__main__":
    main(*sys.argv[1:])
