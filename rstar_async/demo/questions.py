"""What the demo's model can read: numbered sentences of the templates it was trained on."""

import re
from functools import cache

from rstar_async.demo.draft import numbered
from rstar_async.demo.problems import SHARES, word_problems
from rstar_async.demo.words import NAMES, THINGS

EXAMPLE = "Tom has 12 coins. He gets 3 bags of 4 coins. How many coins does Tom have now?"

# Enough for every template to occur.
PROBLEMS = 300
LEVELS = (1, 2, 3, 4, 5, 6)

_NUMBERED = re.compile(r"\s*1\) ")
_MARK = re.compile(r"(?:^|\s)\d+\) ")
_SENTENCE_END = re.compile(r"(?<=[.?!])\s+")
_SIGN = re.compile(r"A sign says .*\.")


def as_numbered(question: str) -> str:
    """The question with its sentences numbered, as the model was trained on them."""
    if _NUMBERED.match(question):
        return question
    return " ".join(numbered(_SENTENCE_END.split(question.strip())))


def unknown_sentences(question: str) -> list[str]:
    """The sentences of a question that are none of the model's templates, whatever the names,
    things and numbers in them."""
    sentences = [part.strip() for part in _MARK.split(as_numbered(question)) if part.strip()]
    return [sentence for sentence in sentences if _template(sentence) not in _templates()]


@cache
def _templates() -> frozenset[str]:
    """All of them, read off the problems that the templates make."""
    questions = [
        problem.question
        for split in SHARES
        for problem in word_problems(PROBLEMS, LEVELS, 1, split)
    ]
    return frozenset(
        _template(part.strip()) for text in questions for part in _MARK.split(text) if part.strip()
    )


def _template(sentence: str) -> str:
    text = re.sub(r"\d+", "1", _SIGN.sub("A sign.", sentence))
    text = re.sub(rf"\b(?:{'|'.join(NAMES)})\b", "Tom", text)
    text = re.sub(rf"\b(?:{'|'.join(THINGS)})\b", "coins", text)
    return re.sub(r"\bShe\b", "He", text)
