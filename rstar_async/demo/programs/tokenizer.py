"""The tokenizer of the demo's programs: as that of its word problems, with tokens for code."""

from typing import TYPE_CHECKING

from rstar_async.demo.programs.inputs import WORDS
from rstar_async.demo.programs.tasks import ProgramTask, program_tasks
from rstar_async.demo.tokenizer import NUMBERS, PIECES, trained_tokenizer
from rstar_async.text.prompts import QUESTION_PREFIX, QUESTION_SUFFIX

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# A call of a step's function is one token, and so is what all comprehensions have in common.
CODE_PIECES = rf" ?f\d\((?:v|example)\)| for x in(?= )|{PIECES}"


def program_tokenizer() -> "Tokenizer":
    """Train it on tasks of the easy levels; the result is deterministic."""
    return trained_tokenizer([*_corpus(), *NUMBERS], CODE_PIECES)


def _corpus() -> list[str]:
    tasks = program_tasks(4000, (1, 2), 0, "demonstration", garbled=True)
    words = " ".join(f'"{word}" {word}' for word in WORDS)
    return [*map(_text, tasks), *[words] * 20]


def _text(task: ProgramTask) -> str:
    return QUESTION_PREFIX + task.question + QUESTION_SUFFIX + task.solution
