"""Splitting an answer into its value and the unit, currency or percent sign around it."""

import re
from typing import NamedTuple

_NAMES = (
    "mm cm km in inch inches ft foot feet yd yard yards mile miles centimeter centimeters "
    "centimetre centimetres meter meters metre metres kilometer kilometers millimeter millimeters "
    "sec second seconds min minute minutes hr hour hours day days week weeks month months year "
    "years degree degrees radian radians dollar dollars cent cents euro euros pound pounds unit "
    "units gram grams kg kilogram kilograms mg liter liters litre litres ml mph people students "
    "apples books ways times points cups ounces oz lb lbs gallons square sq cubic cu per"
)
_ALIASES = {
    "°": "degree", "$": "dollar", "inches": "in", "inch": "in", "feet": "ft", "foot": "ft",
    "centimeter": "cm", "centimetre": "cm", "meter": "m", "metre": "m", "kilometer": "km",
    "kilometre": "km", "millimeter": "mm", "second": "s", "sec": "s", "minute": "min", "hour": "h",
    "hr": "h", "gram": "g", "kilogram": "kg", "liter": "l", "litre": "l", "square": "sq",
    "yard": "yd", "ounce": "oz", "pound": "lb", "cubic": "cu",
}  # fmt: skip

_WORD = "|".join(sorted(_NAMES.split(), key=len, reverse=True))
_POWER = r"(?:\s*\^\s*\{?\s*[23]\s*\}?)?"
_TEXT = re.compile(
    r"\s*\\(?:text|mbox|mathrm|textbf|textnormal|textrm|rm)\s*"
    rf"\{{\s*([A-Za-z°][A-Za-z°/ .^23-]*?)\s*\}}({_POWER})$"
)
_PLAIN = re.compile(rf"(?<=[\d)}}])\s*((?:(?:{_WORD})\b[ ./]*)+)({_POWER})$")
_PERCENT = re.compile(r"(?<=[\d\s)}])\s*(?:%|(?:[Pp]ercent(?:age)?|[Pp]ct)\b\.?)$")
_CURRENCY = re.compile(r"^(-?)\s*([$€£])\s*(?=[\d.(\\])")
_CONNECTIVE = re.compile(r"\b(?:and|or|mod|to|if|for|base|where|when|with)\b", re.IGNORECASE)
_SINGULAR = re.compile(r"(?<=[a-z]{3})s\b")


class Measured(NamedTuple):
    """A value's text, whether a percent sign stood by it, and its unit (empty: none)."""

    text: str
    percent: bool
    unit: str


def split_unit(spelled: str) -> Measured:
    """Take the unit off a spelled answer; a text without one comes back unchanged."""
    text, percent, unit = spelled, False, ""
    if currency := _CURRENCY.match(text):
        text, unit = currency[1] + text[currency.end() :], currency[2]
    if text.endswith("°"):
        text, unit = text[:-1].rstrip(), "°"
    named = _TEXT.search(text) or _PLAIN.search(text)
    if named and named.start() and not _CONNECTIVE.search(named[1]):
        text, unit = text[: named.start()].rstrip(), named[1] + named[2]
    if unit.lower().rstrip(".") in ("percent", "percentage", "pct"):
        percent, unit = True, ""
    if sign := _PERCENT.search(text):
        text, percent = text[: sign.start()].rstrip(), True
    return Measured(text, percent, _plain_unit(unit))


def _plain_unit(unit: str) -> str:
    words = re.sub(r"[\s{}^.]+", " ", unit.lower()).split()
    singular = [_SINGULAR.sub("", word) for word in words]
    pairs = zip(words, singular, strict=True)
    return " ".join(_ALIASES.get(word, _ALIASES.get(plain, plain)) for word, plain in pairs)
