"""Items that are no formulas: words, numerals in a base, ordinals, points, choices."""

from fractions import Fraction

from rstar_async.answers import tree
from rstar_async.answers.calendar import read_date, read_time
from rstar_async.answers.notation import CONSTANTS, FUNCTIONS, GREEK
from rstar_async.answers.number_words import VOCABULARY, chinese_number, number_in_words
from rstar_async.answers.reader import Reader
from rstar_async.answers.tokens import Token
from rstar_async.answers.tree import (
    Ambiguous,
    Choice,
    Const,
    Group,
    Node,
    NotUnderstood,
    Num,
    Quantity,
    Relation,
    Sym,
    Time,
    Word,
)
from rstar_async.answers.units import parse_unit
from rstar_async.answers.wordlists import STOPS, TWO_LETTERS

_CHOICES = frozenset("ABCDEFGHIJ")
_PHRASES = {
    "all real numbers": "R", "all reals": "R", "real numbers": "R", "any real number": "R",
    "all integers": "Z", "no solution": "empty", "no solutions": "empty", "empty set": "empty",
    "the empty set": "empty", "infinity": "oo", "reals": "R", "the real numbers": "R",
    "emptyset": "empty", "integers": "Z", "infinite": "oo", "infinitely many": "oo",
}  # fmt: skip


class Special(Reader):
    """What is read as a whole, before any arithmetic."""

    def special(self) -> Node | None:
        """What is read as a whole: a date, a time, a numeral in a base, words; None otherwise."""
        if self.next_kind == "number":
            return read_date(self) or read_time(self) or self.in_base() or self.number()
        if self.next == "(":
            return self.in_base()
        if self.next_kind in ("word", "text"):
            return read_date(self) or self.in_base() or self.point() or self.words()
        return self.chinese() if self.next_kind == "han" else None

    def words(self) -> Node | None:
        """Words up to the end of the item: a number, a set, or just words."""
        start, words = self.position, list[str]()
        while self.next_kind in ("word", "text") or (
            words and self.next in ("-", "'") and self.ahead(1).kind in ("word", "text")
        ):
            if self.next in STOPS and not self.is_number_and(words):
                break
            if self.in_condition and self.next in ("is", "are"):
                break
            words.append(self.take().text)
        if self.ends_item() and (found := _meaning(words, self.tokens[start])):
            return found
        self.position = start
        return None

    def refuse_range(self) -> None:
        """`1-10`, `555-1234`, `5/6/2020`: numbers with signs that need not be arithmetic."""
        texts, offset = [self.next], 1
        while self.ahead(offset).text in ("-", "/") and self.ahead(offset + 1).kind == "number":
            if self.ahead(offset).spaced or self.ahead(offset + 1).spaced:
                return
            texts += [self.ahead(offset).text, self.ahead(offset + 1).text]
            offset += 2
        after = self.ahead(offset)
        is_whole = after.kind == "finish" or after.text in (",", ";")
        signs, are_whole = set(texts[1::2]), all(text.isdigit() for text in texts[::2])
        if is_whole and are_whole and (signs == {"-"} or (signs == {"/"} and len(texts) > 3)):
            raise Ambiguous("a range, a date or arithmetic")

    def point(self) -> Node | None:
        """`A(1, 2)`: a point by its name; `C(10, 3)` counts combinations."""
        start, token = self.position, self.token
        is_call = self.ahead(1).text == "(" and not self.ahead(1).spaced
        if not (is_call and len(token.text) == 1 and token.text.isupper()):
            return None
        self.position += 2
        try:
            items = self.items()
        except NotUnderstood:
            items = []
        is_point = token.text not in ("C", "P", "A") or not _counts(items)
        if len(items) > 1 and is_point and self.accept(")") and self.ends_item():
            return Relation("=", Sym(token.text), Group("round", tuple(items)))
        self.position = start
        return None

    def is_number_and(self, words: list[str]) -> bool:
        """`one hundred and five`, `two and a half` are one number."""
        if self.next != "and" or not words or words[-1].lower() not in VOCABULARY:
            return False
        after = [self.ahead(offset).text.lower() for offset in (1, 2)]
        is_fraction = after[0] == "half" or (after[0] == "a" and after[1] in VOCABULARY)
        is_rest = words[-1].lower() in ("hundred", "thousand") and after[0] in VOCABULARY
        return is_fraction or is_rest

    def ends_item(self) -> bool:
        return (
            self.next in (",", ";", ")", "]", "}", "\\}", "\\\\", "&", "and", "or", "")
            or self.next in ("for", "where", "when", "if", "with", "except", "excluding")
            or self.next_kind in ("finish", "end")
        )

    def chinese(self) -> Node | None:
        """`十二个`: a Chinese number with its unit."""
        token = self.token
        for length in range(len(token.text), 0, -1):
            value = chinese_number(token.text[:length])
            if value is not None:
                rest = token.text[length:]
                self.tokens[self.position : self.position + 1] = [
                    Token("number", str(value)), *([Token("han", rest)] if rest else [])
                ]  # fmt: skip
                return None
        self.take()
        return Word(token.text)

    def number(self) -> Node | None:
        self.refuse_range()
        return self.ordinal()

    def ordinal(self) -> Node | None:
        """`5th`, `10^{th}`."""
        endings = ("st", "nd", "rd", "th")
        after = [self.ahead(offset).text for offset in (1, 2, 3, 4)]
        if after[0] in endings and not self.ahead(1).spaced:
            length = 2
        elif after[0] == "^" and after[1] in endings:
            length = 3
        elif after[:2] == ["^", "{"] and after[2] in endings and after[3] == "}":
            length = 5
        else:
            return None
        value = Num(Fraction(self.next))
        self.position += length
        return value

    def in_base(self) -> Node | None:
        """`52_8`, `(52)_8`, `2A4_{16}`, `52_{\\text{eight}}`."""
        start = self.position
        is_bracketed = self.next == "("
        if is_bracketed:
            self.take()
        digits = ""
        while self.next_kind in ("number", "word", "text") and not (digits and self.token.spaced):
            digits += self.take().text
        if is_bracketed and not self.accept(")"):
            digits = ""
        base = self.base() if digits else None
        if base is None or not _fits_base(digits, base) or not self.ends_item():
            self.position = start
            return None
        return tree.Numeral(digits.upper().lstrip("0") or "0", base)

    def base(self) -> int | None:
        """`_8`, `_{(8)}`, `base 8`, `(base eight)`."""
        start = self.position
        if not self.accept("_") and "base" not in (self.next, self.ahead(1).text):
            return None
        brackets = 0
        while self.next in ("{", "("):
            self.take()
            brackets += 1
        self.accept("base")
        text = self.take().text
        for _ in range(brackets):
            if self.next not in ("}", ")"):
                self.position = start
                return None
            self.take()
        if text.isdigit():
            return int(text) if len(text) < 3 else None
        value = number_in_words([text])
        return None if value is None else int(value)

    def choice(self) -> Node | None:
        """`A)`, `(C) 24`, `C: 24`, `C. 24`; a bare `A` is a letter like any other."""
        start = self.position
        is_bracketed = self.accept("(")
        letter = self.take().text
        mark = self.next
        is_choice = mark == ")" if is_bracketed else mark in (")", ":", ".")
        if letter not in _CHOICES or not is_choice:
            self.position = start
            return None
        self.take()
        self.accept(".")
        if self.next_kind == "finish":
            return Choice(letter)
        is_item = self.next_kind in ("number", "text") or self.next in (
            "\\frac",
            "$",
            "-",
            "\\sqrt",
        )
        if (mark == ":" or is_bracketed) and not is_item:
            self.position = start
            return None
        return Choice(letter, self.statement())


def _meaning(words: list[str], first: Token) -> Node | None:
    """A number, a set, a constant of words; `Word` where they are just words."""
    if not words:
        return None
    phrase = " ".join(words).lower()
    if phrase in _PHRASES:
        return Const(_PHRASES[phrase])
    if phrase in ("noon", "midnight"):
        return Time(0, "pm" if phrase == "noon" else "am")
    value = number_in_words(words)
    if value is not None:
        return Num(value)
    if measured := _counted(words):
        return measured
    if any(word in FUNCTIONS and len(word) > 1 for word in words):
        return None
    if len(words) == 1:
        return Word(words[0]) if _is_word(first) else None
    return None if all(len(word) == 1 for word in words) else Word(" ".join(words))


def _counted(words: list[str]) -> Node | None:
    """`fifteen dollars`: a number in words and its unit."""
    for length in range(len(words) - 1, 0, -1):
        value, unit = number_in_words(words[:length]), parse_unit(words[length:])
        if value is not None and unit is not None:
            return Quantity(Num(value), unit)
    return None


def _counts(items: list[Node]) -> bool:
    """Whole numbers, the first of them not the smaller, or letters."""
    if len(items) != 2 or not all(isinstance(item, tree.SCALARS) for item in items):
        return False
    one, other = items
    if isinstance(one, Num) and isinstance(other, Num):
        return (
            one.value.denominator == other.value.denominator == 1 and one.value >= other.value >= 0
        )
    return not isinstance(one, Num)


def _is_word(token: Token) -> bool:
    """`even`, `now`, `BAC`; not `x`, `xy`, `pi` or `sin`."""
    text = token.text
    if text in CONSTANTS or text in FUNCTIONS or text in GREEK or len(text) == 1:
        return False
    if len(text) == 2:
        return text.isupper() or text in TWO_LETTERS or not text.islower() or not text.isascii()
    return True


def _fits_base(digits: str, base: int) -> bool:
    """Digits and capital letters; letters alone only where the base needs them."""
    if not 2 <= base <= 36 or not digits.isalnum() or not digits.isascii():
        return False
    if digits.isalpha() and (base <= 10 or not digits.isupper()):
        return False
    return digits[0].isdigit() or digits.isupper()
