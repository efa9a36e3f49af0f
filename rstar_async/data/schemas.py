"""The formats of training files: the names of their columns. Pure.

`sft` and `ppm` are the reference code's; `messages`, `prompt-completion` and `preferences` are
TRL's. A row of one format can be written in any other format of its kind.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from rstar_async.text.prompts import MATH_PROMPTS, QUESTION_PREFIX, QUESTION_SUFFIX, Prompts

Row: TypeAlias = dict[str, Any]
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


def read_row(row: Mapping[str, Any]) -> Solution | Comparison | None:
    """The solution or comparison in a row of any known format; None if there is none."""
    if {"query", "response"} <= row.keys():
        return Solution(str(row["query"]), str(row["response"]))
    if {"prompt", "pos", "neg"} <= row.keys():
        counts = int(row.get("pos_count", 1)), int(row.get("neg_count", 1))
        return Comparison(str(row["prompt"]), str(row["pos"]), str(row["neg"]), *counts)
    if {"prompt", "chosen", "rejected"} <= row.keys():
        return Comparison(str(row["prompt"]), str(row["chosen"]), str(row["rejected"]))
    if {"prompt", "completion"} <= row.keys():
        return Solution(_question(str(row["prompt"])), str(row["completion"]))
    return _from_messages(row.get("messages"))


def _from_messages(turns: Any) -> Solution | None:
    """One question and one reply, as `messages` writes them."""
    match turns:
        case [{"role": "user", "content": question}, {"role": "assistant", "content": reply}]:
            return Solution(str(question), str(reply))
    return None


def _question(prompt: str) -> str:
    return prompt.removeprefix(QUESTION_PREFIX).removesuffix(QUESTION_SUFFIX)
