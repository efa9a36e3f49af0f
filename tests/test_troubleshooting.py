"""docs/troubleshooting.md quotes messages as the code writes them."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "troubleshooting.md"
PACKAGES = ("rstar_async", "brokers", "workers", "storage")
# A quotation with fewer letters in a row could be anywhere.
LETTERS = 10


def quoted() -> list[str]:
    """The first code in each row of the tables."""
    return re.findall(r"^\| `([^`]+(?:`[^`|]+`[^`|]*)*?)`[^|`]*\|", PAGE.read_text(), re.MULTILINE)


@cache
def written() -> str:
    """Every text in the sources on a line of its own, values left out; the Makefile as it is."""
    texts = [
        text
        for package in PACKAGES
        for file in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if (text := text_of(node))
    ]
    makefile = (ROOT / "Makefile").read_text().splitlines()
    return "\n".join([*(text.replace("\n", " ") for text in texts), *makefile])


def text_of(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(map(text_of, node.values)) or "…"
    if isinstance(node, ast.FormattedValue):
        return "…"
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def is_written(message: str, source: str) -> bool:
    """Whether one text holds all pieces of the message, in their order."""
    pieces = [re.escape(piece) for piece in message.split("…")]
    return re.search(".*".join(pieces), source) is not None


def test_the_page_has_messages():
    assert len(quoted()) > 30


@pytest.mark.parametrize("message", quoted())
def test_a_quoted_message_is_one_that_the_code_writes(message):
    assert max(len(piece.strip()) for piece in message.split("…")) >= LETTERS
    assert is_written(message, written())


def test_a_message_that_was_reworded_is_noticed():
    source = "there is no run at …\n"
    assert is_written("there is no run at …", source)
    assert not is_written("there is no run in …", source)
    assert not is_written("run at … there is", source)
