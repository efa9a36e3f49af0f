"""Spelled answers cut into tokens, and a cursor over them. Every character is in some token.

Kinds: number, word (letters of a formula), text (letters set upright, as in `\\text{ cm}`),
vector (`\\mathbf{i}`), set (`\\mathbb{R}`), begin, end, command, han (Chinese), sign.
"""

import re
from typing import NamedTuple

from rstar_async.answers.extract import matching_brace
from rstar_async.answers.tree import NotUnderstood

_TOKEN = re.compile(
    r"(?P<space>\s*)(?:"
    r"(?P<number>\d*\.\d*↻\d+|\d+\.\d+|\.\d+|\d+)"
    r"|(?P<vector>\\(?:mathbf|boldsymbol|bm|vec|hat|overrightarrow)\s*(?:\{\s*\\?[ijk](?:math)?\s*\}|\\?[ijk](?:math)?(?![A-Za-z])))"
    r"|(?P<set>\\mathbb\s*(?:\{\s*[A-Z]\s*\}|[A-Z]))"
    r"|(?P<figure>\\(?:(?:vec|overrightarrow)(?=\s*\{\s*[A-Z]{2,}\s*\})|hat(?![A-Za-z])))"
    r"|(?P<style>\\(?:mathbf|boldsymbol|bm|vec|overrightarrow|mathit|mathsf|mathcal|mathscr|it|bf|rm)(?![A-Za-z]))"
    r"|\\(?P<upright>text[a-z]*|mathrm|mbox|operatorname\*?)(?![A-Za-z])\s*(?=\{)"
    r"|\\(?P<begin>begin)\s*\{(?P<opened>\w+)\}(?:\s*\{[lcr| ]+\})?"
    r"|\\(?P<end>end)\s*\{(?P<closed>\w+)\}"
    r"|(?P<word>[A-Za-zÀ-ɏ]+|[\u2460-\u24ff\u2776-\u2793]+)"
    r"|(?P<han>[\u4e00-\u9fff]+)"
    r"|(?P<command>\\[A-Za-z]+)"
    r"|(?P<sign>\\\\|\\[{}]|\*\*|\.\.\.|[-+*/^_!,;()\[\]{}=<>&|:°%'.?$€£¥₹₽₩₱])"
    r")"
)


class Token(NamedTuple):
    """`spaced` tells whether white space came before."""

    kind: str
    text: str
    spaced: bool = False


_END = Token("finish", "")


def tokenize(text: str, is_upright: bool = False) -> list[Token]:
    """The tokens, ended by one of kind `finish` with empty text."""
    tokens: list[Token] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if not match:
            raise NotUnderstood(text[position : position + 20])
        position = match.end()
        spaced = bool(match["space"])
        if match["upright"]:
            closing = matching_brace(text, position)
            if closing is None:
                raise NotUnderstood("an open brace")
            inside = text[position + 1 : closing]
            tokens += _set_upright(inside, spaced)
            position = closing + 1
        elif not match["style"]:
            tokens.append(_token(match, spaced, is_upright))
    return tokens if is_upright else [*tokens, _END]


def _set_upright(inside: str, spaced: bool) -> list[Token]:
    inner = tokenize(inside, is_upright=True)
    if inner and spaced:
        inner[0] = inner[0]._replace(spaced=True)
    return inner


def _token(match: re.Match[str], spaced: bool, is_upright: bool) -> Token:
    if match["begin"]:
        return Token("begin", match["opened"], spaced)
    if match["end"]:
        return Token("end", match["closed"], spaced)
    kind = str(match.lastgroup)
    text = match[kind]
    if kind == "figure":
        return Token("command", text, spaced)
    if kind in ("vector", "set"):
        letters = re.findall(r"[A-Zijk](?=(?:math)?\s*\}?$)", text)
        return Token(kind, letters[0], spaced)
    return Token("text" if kind == "word" and is_upright else kind, text, spaced)


class Cursor:
    """A place in a list of tokens that ends with an empty one."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.position = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    @property
    def next(self) -> str:
        """The text of the token here, where it is a sign, a command or a number."""
        return self.tokens[self.position].text

    @property
    def next_kind(self) -> str:
        return self.tokens[self.position].kind

    def ahead(self, distance: int) -> Token:
        return self.tokens[min(self.position + distance, len(self.tokens) - 1)]

    def take(self) -> Token:
        token = self.tokens[self.position]
        self.position = min(self.position + 1, len(self.tokens) - 1)
        return token

    def accept(self, text: str) -> bool:
        if self.next != text or self.next_kind == "finish":
            return False
        self.position += 1
        return True

    def expect(self, text: str) -> None:
        if self.take().text != text:
            raise NotUnderstood(f"expected {text!r}")

    def split_digit(self) -> str:
        """The first digit of the number here: all that `\\frac12` takes without braces."""
        text = self.next
        if len(text) > 1:
            here = slice(self.position, self.position + 1)
            self.tokens[here] = [Token("number", text[0]), Token("number", text[1:])]
        self.position += 1
        return text[0]
