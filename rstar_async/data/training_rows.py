"""Solutions and comparisons read from rows of training files, in any known format. Pure.

Texts must be texts: a null, a number or an object in their place is an error that names the row.
Of conversations, one question and one reply are read.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rstar_async.data.schemas import Comparison, Solution
from rstar_async.domains.columns import MOST_CHARACTERS
from rstar_async.errors import BadInput
from rstar_async.sanitize import listed, shown, without_surrogates
from rstar_async.text.prompts import MATH_PROMPTS, QUESTION_PREFIX, QUESTION_SUFFIX

MOST_PAIRS = 1_000_000_000
MESSAGES = "messages"


def read_row(row: Mapping[str, Any], where: str) -> Solution | Comparison | None:
    """The solution or comparison in a row of any known format; None if its columns are those of no
    format. `BadInput` starts with `where` and names the column."""
    if {"query", "response"} <= row.keys():
        return Solution(_text(row, "query", where), _text(row, "response", where))
    if {"prompt", "pos", "neg"} <= row.keys():
        return _comparison(row, "pos", "neg", where)
    if {"prompt", "chosen", "rejected"} <= row.keys():
        return _comparison(row, "chosen", "rejected", where)
    if {"prompt", "completion"} <= row.keys():
        return Solution(_question(row, where), _text(row, "completion", where, "assistant"))
    if MESSAGES in row:
        return _conversation(row[MESSAGES], where)
    return None


def _comparison(row: Mapping[str, Any], better: str, worse: str, where: str) -> Comparison:
    return Comparison(
        _prompt(row, where),
        _text(row, better, where, "assistant"),
        _text(row, worse, where, "assistant"),
        _count(row, "pos_count", where),
        _count(row, "neg_count", where),
    )


def _conversation(turns: Any, where: str) -> Solution:
    roles = _roles(turns)
    if roles != ["user", "assistant"]:
        raise BadInput(
            f"{where}: {MESSAGES} has the turns {listed(roles)}; one of 'user' and one of "
            "'assistant' are read, and no others"
        )
    question, reply = (_content(turn, MESSAGES, where) for turn in turns)
    return Solution(question, reply)


def _question(row: Mapping[str, Any], where: str) -> str:
    prompt = _text(row, "prompt", where, "user")
    return prompt.removeprefix(QUESTION_PREFIX).removesuffix(QUESTION_SUFFIX)


def _prompt(row: Mapping[str, Any], where: str) -> str:
    """A conversation's question gets the prompt around it that a text has already."""
    prompt = _text(row, "prompt", where, "user")
    return prompt if isinstance(row["prompt"], str) else MATH_PROMPTS.around(prompt)


def _text(row: Mapping[str, Any], name: str, where: str, role: str = "") -> str:
    """The text in a column, or in the one turn of a conversation, which must be by `role`."""
    value = row[name]
    if role and isinstance(value, Sequence) and not isinstance(value, str):
        roles = _roles(value)
        if roles != [role]:
            raise BadInput(
                f"{where}: column {shown(name)} has the turns {listed(roles)}; one of {role!r} is "
                "read, and no others"
            )
        return _content(value[0], name, where)
    return _checked(value, name, where)


def _content(turn: Mapping[str, Any], name: str, where: str) -> str:
    """A turn's text, which may be in parts."""
    content = turn.get("content")
    if isinstance(content, Sequence) and not isinstance(content, str):
        parts = [part.get("text") if isinstance(part, Mapping) else None for part in content]
        return "".join(_checked(part, f"{name}.content", where) for part in parts)
    return _checked(content, f"{name}.content", where)


def _roles(turns: Any) -> list[str]:
    if not isinstance(turns, Sequence) or isinstance(turns, str):
        return []
    return [str(turn.get("role")) if isinstance(turn, Mapping) else "?" for turn in turns]


def _checked(value: Any, name: str, where: str) -> str:
    if value is None or value == "":
        raise BadInput(f"{where}: column {shown(name)} is empty")
    if not isinstance(value, str):
        raise BadInput(f"{where}: column {shown(name)} is not a text, but {_kind(value)}")
    if len(value) > MOST_CHARACTERS:
        raise BadInput(
            f"{where}: column {shown(name)} has {len(value):,} characters, "
            f"more than {MOST_CHARACTERS:,}"
        )
    return without_surrogates(value)


def _kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"an object with {listed(value)}"
    return "a list" if isinstance(value, list | tuple) else f"{value!r:.40}"


def _count(row: Mapping[str, Any], name: str, where: str) -> int:
    """How many steps a side of the pair's group has; 1 if that is not given."""
    value = row.get(name)
    if value is None:
        return 1
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value % 1 == 0
    if not whole or not 0 <= value <= MOST_PAIRS:
        raise BadInput(f"{where}: column {shown(name)} is {value!r:.40}, not a count")
    return int(value)
