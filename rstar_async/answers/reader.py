"""What the parts of the grammar share: the state of one pass, and what they ask of each other."""

from abc import ABC, abstractmethod

from rstar_async.answers.tokens import Cursor, Token
from rstar_async.answers.tree import Node

OPENERS = ("(", "[", "\\{", "{", "\\langle", "\\lfloor", "\\lceil")
RELATIONS = {
    "=": "=", "<": "<", ">": ">", "\\leq": "<=", "\\geq": ">=", "\\neq": "!=", "\\in": "in",
    "\\notin": "notin", "\\to": "->", "\\rightarrow": "->", "\\approx": "~", "\\equiv": "mod",
    "\\sim": "similar", "\\cong": "congruent", "\\perp": "perpendicular", "\\parallel": "parallel",
    "\\implies": "=>", "\\Rightarrow": "=>", "\\iff": "<=>", "\\Leftrightarrow": "<=>",
    "\\subset": "subset", "\\subseteq": "subseteq", "\\propto": "proportional",
}  # fmt: skip
CURRENCIES = frozenset("$€£¥₹₽₩₱")


class Reader(Cursor, ABC):
    """One pass over the tokens of one answer. The parts of the grammar are subclasses."""

    def __init__(self, tokens: list[Token]) -> None:
        super().__init__(tokens)
        self.depth = 0
        self.bars = 0
        """How many `|` are open."""
        self.sign = 1
        """What a plus-minus stands for this time."""
        self.signs_seen = 0
        self.is_formula = False
        """Inside braces, where words are products."""
        self.is_set = False
        """Inside the braces of a set, where `|` and `:` begin its condition."""
        self.in_condition = False

    @abstractmethod
    def statement(self) -> Node:
        """Everything an answer may say."""

    @abstractmethod
    def items(self) -> list[Node]:
        """What stands between commas."""

    @abstractmethod
    def joined(self, expands: bool = False) -> tuple[list[Node], set[str]]:
        """Items and the words between them."""

    @abstractmethod
    def relation(self) -> Node:
        """A value or a relation between values."""

    @abstractmethod
    def special(self) -> Node | None:
        """An item that is no formula."""

    @abstractmethod
    def ends_item(self) -> bool:
        """Does an item end here?"""

    @abstractmethod
    def bracketed(self, opener: str) -> Node:
        """What follows an opening bracket, up to its closing one."""

    @abstractmethod
    def environment(self, name: str) -> Node:
        """What follows `\\begin`."""

    @abstractmethod
    def sum(self) -> Node:
        """A formula."""

    @abstractmethod
    def powered(self) -> Node:
        """A value with its power."""

    @abstractmethod
    def primary(self) -> Node:
        """A value without one."""

    @abstractmethod
    def script(self) -> Node:
        """What `^` raises to."""

    @abstractmethod
    def argument(self) -> Node:
        """What a LaTeX command takes."""

    @abstractmethod
    def fraction(self) -> Node:
        """What follows `\\frac`."""

    @abstractmethod
    def radical(self) -> Node:
        """What follows `\\sqrt`."""

    @abstractmethod
    def is_no_factor(self, token: Token) -> bool:
        """Words that follow a value and do not multiply it."""

    @abstractmethod
    def is_remark(self) -> bool:
        """`(mod 7)`, `(base 2)`, `(k \\in \\mathbb{Z})` after a value."""
