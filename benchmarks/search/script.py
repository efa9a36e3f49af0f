"""A model that costs nothing: canned steps, canned results of their code, canned PPM values.

What remains to be measured is the search itself. Replies depend on the request alone. A solution
has `DEPTH` steps; each expansion offers as many different steps as it is asked for, every eighth of
which fails when run.
"""

from functools import cache
from typing import Any

from rstar_async import demo
from rstar_async.text import tags
from rstar_async.text.encoding import Encoder
from rstar_async.wire.payloads import Execute, Executed, Generate, Generated, Sample, Score, Scored

DEPTH = 8
QUESTION = "Tom has 3 coins. He finds 4 more. How many coins does he have?"
GOLD = "7"
FAILS = "missing"


@cache
def encoder() -> Encoder:
    """The encoder of the demo's checkpoint."""
    from pathlib import Path

    return Encoder.load(Path(demo.__file__).parent / "checkpoint", "tagged")


def answer(request: Any) -> Generated | Executed | Scored:
    """The reply of a worker."""
    if isinstance(request, Generate):
        return Generated(request.model, _samples(request), len(request.prompt), 0, 0.0)
    if isinstance(request, Execute):
        return _executed(request)
    assert isinstance(request, Score)
    values = [len(step) % 7 - 3.0 for step in request.steps]
    return Scored(request.model, values, len(request.prefix), 0, 0.0)


def _samples(request: Generate) -> list[Sample]:
    end_of_step, end_of_code, _ = encoder().stop_token_ids
    if request.prompt.count(end_of_code):
        return _answers(request.n)
    return _steps(request.prompt.count(end_of_step), request.n)


@cache
def _steps(depth: int, count: int) -> list[Sample]:
    opening = f"{tags.CODE}\n" if depth == 0 else "\n"
    is_last = depth + 2 >= DEPTH
    end = tags.END_OF_CODE if is_last else tags.END_OF_STEP
    texts = []
    for number in range(count):
        value = FAILS if number % 8 == 7 else str(number)
        line = f"print({7 if value != FAILS else FAILS})" if is_last else f"x{depth} = {value}"
        texts.append(f"{opening}# Step {depth + 1}, way {number}.\n{line}\n{end}")
    return [_sample(text) for text in texts]


@cache
def _answers(count: int) -> list[Sample]:
    values = ["7" if number % 2 else str(number) for number in range(count)]
    texts = [
        f"\n{tags.ANSWER}In way {number} it is \\boxed{{{value}}}.{tags.END_OF_ANSWER}"
        for number, value in enumerate(values)
    ]
    return [_sample(text) for text in texts]


def _sample(text: str) -> Sample:
    return Sample(encoder().step(text), text, "stop")


def _executed(request: Execute) -> Executed:
    last = request.steps[-1]
    if FAILS in last:
        return Executed("exception", error_type="NameError", step=len(request.steps) - 1)
    return Executed("ok", stdout="7\n" if "print" in last else "")
