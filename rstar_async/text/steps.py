"""Parsing what the policy wrote: a step, the last step of a program, an answer, or nothing usable.

The policy writes everything but the interpreter's output. A piece of text that forges an output, or
answers before its program has ended, is malformed: it becomes a dead node and is never executed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from rstar_async.text import tags

OBSERVATION_LIMIT = 1024


class StepKind(StrEnum):
    """How a piece ended."""

    ROOT = "root"
    STEP = "step"
    END_OF_CODE = "end_of_code"
    ANSWER = "answer"
    UNFINISHED = "unfinished"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Step:
    """A parsed piece of text. `code` is what the executor runs; "" if there is nothing to run."""

    kind: StepKind
    code: str = ""
    opens_code: bool = False


ROOT_STEP = Step(StepKind.ROOT)


def parse_step(text: str, *, after_output: bool) -> Step:
    """Parse one piece; `after_output`: the text before it ends with an interpreter's output."""
    if tags.OUTPUT in text or tags.END_OF_OUTPUT in text:
        return Step(StepKind.MALFORMED)
    if not text.endswith(tags.STEP_ENDS):
        return Step(StepKind.UNFINISHED)
    if text.endswith(tags.END_OF_ANSWER):
        answers = after_output and tags.ANSWER in text
        return Step(StepKind.ANSWER if answers else StepKind.MALFORMED)
    opens_code = tags.CODE in text
    if after_output and not opens_code:
        return Step(StepKind.MALFORMED)
    kind = StepKind.END_OF_CODE if text.endswith(tags.END_OF_CODE) else StepKind.STEP
    return Step(kind, _code_of(text), opens_code)


def split_after_end(text: str) -> tuple[str, str]:
    """Text up to the first tag that ends a step, that tag included, and what follows it."""
    places = [(text.find(end), end) for end in tags.STEP_ENDS if end in text]
    if not places:
        return text, ""
    start, end = min(places)
    return text[: start + len(end)], text[start + len(end) :]


def program_of(steps: Iterable[Step]) -> list[str]:
    """The sources that make up the program at the end of a path, one per step.

    A step that opens a new code block starts a new program, without the earlier variables.
    """
    program: list[str] = []
    for step in steps:
        if step.kind is StepKind.ROOT or (step.kind is StepKind.ANSWER and not step.code):
            continue
        if step.opens_code:
            program = []
        program.append(step.code)
    return program


def observation(output: str) -> str:
    """What is appended after `<end_of_code>`: the program's output, cut in the middle if long."""
    return f"\n{tags.OUTPUT}{shorten(output.strip())}{tags.END_OF_OUTPUT}"


def shorten(output: str, limit: int = OBSERVATION_LIMIT) -> str:
    """The output; if it is longer than `limit` characters, its beginning and its end."""
    if len(output) <= limit:
        return output
    return f"{output[: limit // 2]}...{output[-limit // 2 :]}"


def _code_of(text: str) -> str:
    body = text.rpartition(tags.CODE)[2]
    for end in tags.STEP_ENDS:
        body = body.replace(end, "")
    return body.strip("\n")
