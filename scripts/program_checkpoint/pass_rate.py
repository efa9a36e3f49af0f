"""pass@1 of the programming model by hidden tests, without search.

Programs run in a plain Python process with a time limit, not in the sandbox: use this only for the
model that this folder trains.
"""

from collections import defaultdict
from collections.abc import Sequence

from rstar_async.demo.programs.tasks import ProgramTask
from rstar_async.text import tags
from scripts.demo_checkpoint.pass_rate import Sampler, program_of, run

TOKENS = 400


def pass_at_1(sampler: Sampler, tasks: Sequence[ProgramTask], samples: int) -> dict[int, float]:
    """The share of programs that pass all tests by level, over `samples` programs per task."""
    right: dict[int, list[bool]] = defaultdict(list)
    for _ in range(samples):
        for task, trajectory in zip(tasks, trajectories(sampler, tasks), strict=True):
            right[task.level].append(passes(task, trajectory))
    return {level: sum(hits) / len(hits) for level, hits in sorted(right.items())}


def trajectories(sampler: Sampler, tasks: Sequence[ProgramTask]) -> list[str]:
    """What the model writes for each task, up to the end of its code."""
    prompts = [sampler.encoder.prompt(task.question) for task in tasks]
    written = sampler.continued(prompts, tags.END_OF_CODE, TOKENS)
    return [sampler.encoder.decode(tokens) for tokens in written]


def passes(task: ProgramTask, trajectory: str) -> bool:
    """Whether the program has an end and passes the hidden tests."""
    if not trajectory.endswith(tags.END_OF_CODE):
        return False
    tests = "\n".join(case.test for case in task.tests)
    done = run(f"{program_of(trajectory)}\n{tests}")
    return done is not None and done.returncode == 0
