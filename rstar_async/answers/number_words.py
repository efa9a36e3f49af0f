"""Numbers written in words: `twenty-five`, `two thirds`, `fifth`, and scales such as `million`."""

import re
from collections.abc import Sequence
from fractions import Fraction

_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
CARDINALS = {word: number for number, word in enumerate(_SMALL)} | {
    word: 10 * number for number, word in enumerate(_TENS, 2)
}
_BIG = {
    "hundred": 100,
    "thousand": 1000,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
    "dozen": 12,
}
_IRREGULAR = {
    "first": 1, "second": 2, "third": 3, "fifth": 5, "eighth": 8, "ninth": 9, "twelfth": 12,
}  # fmt: skip
ORDINALS = (
    {word + "th": number for word, number in CARDINALS.items() if word not in ("one", "two")}
    | {word[:-1] + "ieth": number for word, number in CARDINALS.items() if word in _TENS}
    | {word + "th": number for word, number in _BIG.items()}
    | _IRREGULAR
)
_PARTS = {"half": 2, "halves": 2, "quarter": 4, "quarters": 4} | {
    word + plural: number for word, number in ORDINALS.items() for plural in ("", "s") if number > 2
}
_SCALES = _BIG | {word + "s": number for word, number in _BIG.items()}
_SCALES |= {"bn": 10**9, "万": 10**4, "亿": 10**8, "千": 1000, "百": 100}
_CHINESE = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"两": 2}
VOCABULARY = frozenset(CARDINALS) | frozenset(ORDINALS) | frozenset(_SCALES) | frozenset(_PARTS)


def scale(word: str) -> Fraction | None:
    """What `million`, `dozen` or `hundredths` after a number multiplies it by."""
    word = word.lower()
    if word in _SCALES:
        return Fraction(_SCALES[word])
    if word in _PARTS and word not in ("second", "seconds"):
        return Fraction(1, _PARTS[word])
    return None


def number_in_words(words: Sequence[str]) -> Fraction | None:
    """The number these words name, all of them; None where they name none."""
    parts = [part for word in words for part in word.lower().split("-") if part]
    if parts[:2] == ["half", "a"] and (whole := number_in_words(["one", *parts[2:]])):
        return whole / 2
    if parts[0:1] == ["a"] and len(parts) > 1 and parts[1] in _BIG:
        parts[0] = "one"
    if parts and parts[0] in ("minus", "negative"):
        value = number_in_words(parts[1:])
        return None if value is None else -value
    if len(parts) == 1 and parts[0] in _PARTS and parts[0] not in ORDINALS:
        return Fraction(1, _PARTS[parts[0]])
    if len(parts) > 1 and parts[-1] in _PARTS:
        return _fraction(parts)
    if parts and parts[-1] in ORDINALS:
        head = parts[:-1]
        rest = _cardinal(head) if head else Fraction(0)
        return None if rest is None or not _fits(head) else rest + ORDINALS[parts[-1]]
    return _cardinal(parts)


def _fraction(parts: list[str]) -> Fraction | None:
    """`two thirds`, `a half`, `two and a half`; `twenty fifth` is an ordinal, not a fraction."""
    head, part = parts[:-1], Fraction(1, _PARTS[parts[-1]])
    if "and" in head and head[-2:] == ["and", "a"]:
        whole = _cardinal(head[:-2])
        return None if whole is None else whole + part
    if head in (["a"], ["an"], ["one"]):
        return part
    if parts[-1] in ORDINALS and (head[-1] in _TENS or head[-1] in _BIG):
        return _ordinal(parts)
    top = _cardinal(head)
    return None if top is None else top * part


def _ordinal(parts: list[str]) -> Fraction | None:
    rest = _cardinal(parts[:-1])
    return None if rest is None else rest + ORDINALS[parts[-1]]


def _fits(head: list[str]) -> bool:
    return not head or head[-1] in _TENS or head[-1] in ("hundred", "thousand", "and")


def _cardinal(parts: Sequence[str]) -> Fraction | None:
    total, current, last = 0, None, 0
    for index, word in enumerate(parts):
        if word == "and":
            if (not current and not total) or index == len(parts) - 1:
                return None
            continue
        if word in CARDINALS:
            value = CARDINALS[word]
            if current and not ((last >= 20 and value < 10 and last < 100) or last >= 100):
                return None
            current, last = (current or 0) + value, value
        elif word == "hundred" and current and current < 100:
            current, last = current * 100, 100
        elif word in _BIG and current:
            total, current, last = total + current * _BIG[word], None, 1000
        else:
            return None
    return None if current is None and not total else Fraction(total + (current or 0))


def chinese_number(text: str) -> Fraction | None:
    """`十二`, `五`, `三百`: whole numbers up to 9999."""
    if not re.fullmatch("[零一二两三四五六七八九十百千]+", text):
        return None
    total, digit = 0, None
    for sign in text:
        if sign in _CHINESE:
            digit = _CHINESE[sign]
        else:
            total += (1 if digit is None else digit) * {"十": 10, "百": 100, "千": 1000}[sign]
            digit = None
    return Fraction(total + (digit or 0))
