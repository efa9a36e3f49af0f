"""The formats of training files: the names of their columns, and how rows are written. Pure.

`sft` and `ppm` are the reference code's; `messages`, `prompt-completion` and `preferences` are
TRL's. A row of one format can be written in any other format of its kind; `training_rows` reads
them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from rstar_async.data.rows import Row
from rstar_async.text.prompts import MATH_PROMPTS, Prompts

Kind: TypeAlias = Literal["solution", "preference", "problem", "tree"]


@dataclass(frozen=True, slots=True)
class Solution:
    """A question and a whole solution of it; `prompts` are those of its domain."""

    question: str
    response: str
    prompts: Prompts = MATH_PROMPTS


@dataclass(frozen=True, slots=True)
class Comparison:
    """`chosen` continues `prompt` better than `rejected`; counts are those of the group's sides."""

    prompt: str
    chosen: str
    rejected: str
    chosen_count: int = 1
    rejected_count: int = 1


@dataclass(frozen=True, slots=True)
class Question:
    """A problem with its final answer."""

    question: str
    answer: str
    level: str = ""
    kind: str = ""


def sft(found: Solution) -> Row:
    return {"query": found.question, "response": found.response}


def messages(found: Solution) -> Row:
    """For chat models, whose template takes the place of this project's prompt."""
    return {
        "messages": [
            {"role": "user", "content": found.question},
            {"role": "assistant", "content": found.response},
        ]
    }


def prompt_completion(found: Solution) -> Row:
    """With this project's own prompt around the question."""
    return {"prompt": found.prompts.around(found.question), "completion": found.response}


def ppm(found: Comparison) -> Row:
    return {
        "prompt": found.prompt,
        "neg": found.rejected,
        "pos": found.chosen,
        "neg_count": found.rejected_count,
        "pos_count": found.chosen_count,
    }


def preferences(found: Comparison) -> Row:
    return {"prompt": found.prompt, "chosen": found.chosen, "rejected": found.rejected}


def problem(found: Question) -> Row:
    row = {"question": found.question, "answer": found.answer}
    return {**row, "level": found.level, "type": found.kind}


WRITERS: Mapping[str, tuple[Kind, Callable[[Any], Row]]] = {
    "trees": ("tree", lambda record: record),
    "sft": ("solution", sft),
    "messages": ("solution", messages),
    "prompt-completion": ("solution", prompt_completion),
    "ppm": ("preference", ppm),
    "preferences": ("preference", preferences),
    "problems": ("problem", problem),
}
