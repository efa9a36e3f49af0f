"""Spelled answers cut into tokens (numbers, words, commands, signs), and a cursor over them."""

import re
from typing import NamedTuple

from rstar_async.answers.tree import NotUnderstood

_ENVIRONMENT = r"\{(?:[pb]?matrix|cases|array)\}"
_COLUMNS = re.compile(r"\s*\{[lcr| ]+\}")
_TOKEN = re.compile(
    r"\s*(?:"
    r"(?P<number>\d+(?:\.\d+)?|\.\d+)"
    rf"|(?P<environment>(?<=\\begin){_ENVIRONMENT}|(?<=\\end){_ENVIRONMENT})"
    r"|(?P<word>[A-Za-z]+)"
    r"|(?P<command>\\[A-Za-z]+)"
    r"|(?P<sign>\\\\|\\[{}]|\*\*|[-+*/^_!,;()\[\]{}=<>&|:°])"
    r")"
)


class Token(NamedTuple):
    kind: str
    text: str


def tokenize(text: str) -> list[Token]:
    """The tokens, ended by one of kind `end` with empty text."""
    tokens: list[Token] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if not match or not match.lastgroup:
            raise NotUnderstood(text[position : position + 20])
        tokens.append(Token(match.lastgroup, match[match.lastgroup]))
        position = match.end()
        if tokens[-1].text == "{array}" and (columns := _COLUMNS.match(text, position)):
            position = columns.end()
    return [*tokens, Token("end", "")]


class Cursor:
    """A place in a list of tokens that ends with an empty one; it only moves forward."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.position = 0

    @property
    def next(self) -> str:
        return self.tokens[self.position].text

    @property
    def next_kind(self) -> str:
        return self.tokens[self.position].kind

    def take(self) -> Token:
        token = self.tokens[self.position]
        self.position += 1
        return token

    def accept(self, text: str) -> bool:
        if self.next != text:
            return False
        self.position += 1
        return True

    def expect(self, text: str) -> None:
        if self.take().text != text:
            raise NotUnderstood(f"expected {text!r}")

    def split_digit(self) -> str:
        """The first digit of the number here: all that `\\frac12` takes without braces."""
        text = self.next
        if len(text) == 1:
            self.position += 1
        else:
            self.tokens[self.position] = Token("number", text[1:])
        return text[0]
