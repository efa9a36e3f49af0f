"""Units: what stands after a number, as a factor and dimensions. Pure data and one small parser.

Known units convert into each other. A plural noun that is no unit of measurement (`marbles`) is a
dimension of its own; any other word is not a unit and makes the answer unread.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from rstar_async.answers.wordlists import COUNTERS, MODIFIERS, NO_NOUNS, TAILS, UNMARKED_PLURALS

_F = Fraction
_KNOWN: dict[str, str] = {
    "length": "m=1 meter=1 metre=1 km=1000 kilometer=1000 kilometre=1000 cm=1/100 "
    "centimeter=1/100 centimetre=1/100 mm=1/1000 millimeter=1/1000 millimetre=1/1000 dm=1/10 "
    "decimeter=1/10 decimetre=1/10 in=127/5000 inch=127/5000 ft=381/1250 foot=381/1250 "
    "feet=381/1250 yd=1143/1250 yard=1143/1250 mi=201168/125 mile=201168/125 米=1 厘米=1/100 "
    "毫米=1/1000 分米=1/10 千米=1000 公里=1000",
    "time": "s=1 sec=1 second=1 min=60 minute=60 hr=3600 hour=3600 h=3600 day=86400 week=604800 "
    "fortnight=1209600 ms=1/1000 millisecond=1/1000 秒=1 分钟=60 小时=3600 "
    "时=3600 天=86400 日=86400 周=604800",
    "month": "month=1 year=12 yr=12 decade=120 century=1200 centuries=1200 月=1 个月=1 年=12",
    "mass": "g=1 gram=1 kg=1000 kilogram=1000 mg=1/1000 milligram=1/1000 t=1000000 tonne=1000000 "
    "lb=45359237/100000 oz=45359237/1600000 ounce=45359237/1600000 克=1 千克=1000 公斤=1000 "
    "吨=1000000 毫克=1/1000",
    "ton": "ton=1",
    "pound": "pound=1",
    "volume": "l=1 L=1 liter=1 litre=1 ml=1/1000 mL=1/1000 milliliter=1/1000 millilitre=1/1000 "
    "升=1 毫升=1/1000",
    "gallon": "gallon=1 gal=1 quart=1/4 qt=1/4 pint=1/8 pt=1/8 cup=1/16",
    "dollar": "dollar=1 $=1 USD=1 cent=1/100 penny=1/100 pennies=1/100 buck=1 dime=1/10 "
    "nickel=1/20 ¢=1/100",
    "euro": "euro=1 €=1 EUR=1",
    "sterling": "£=1 GBP=1 pence=1/100",
    "yuan": "yuan=1 ¥=1 元=1 CNY=1 RMB=1 角=1/10 分=1/100 块=1",
    "yen": "yen=1 JPY=1",
    "rupee": "rupee=1 ₹=1 INR=1 Rs=1",
    "angle": "rad=1 radian=1",
    "newton": "N=1 newton=1 kN=1000",
    "joule": "J=1 joule=1 kJ=1000",
    "watt": "W=1 watt=1 kW=1000",
    "volt": "V=1 volt=1",
    "ampere": "A=1 amp=1 ampere=1",
    "ohm": "ohm=1",
    "hertz": "Hz=1 hertz=1 kHz=1000 MHz=1000000",
    "pascal": "Pa=1 pascal=1 kPa=1000",
    "mole": "mol=1 mole=1",
    "energy": "kWh=1 Wh=1/1000",
    "rotation": "rpm=1",
    "pressure": "psi=1",
    "loudness": "dB=1",
    "rouble": "₽=1 rouble=1 ruble=1",
    "won": "₩=1",
    "peso": "₱=1 peso=1",
    "kelvin": "K=1 kelvin=1",
    "celsius": "°C=1 celsius=1",
    "fahrenheit": "°F=1 fahrenheit=1",
    "byte": "byte=1 kB=1000 KB=1000 MB=1000000 GB=1000000000",
    "bit": "bit=1",
}
_DERIVED = {
    "mph": (_F(201168, 125) / 3600, {"length": 1, "time": -1}),
    "kph": (_F(5, 18), {"length": 1, "time": -1}),
    "km/h": (_F(5, 18), {"length": 1, "time": -1}),
    "平方米": (_F(1), {"length": 2}),
    "平方厘米": (_F(1, 10**4), {"length": 2}),
    "平方千米": (_F(10**6), {"length": 2}),
    "平方分米": (_F(1, 100), {"length": 2}),
    "立方米": (_F(1), {"length": 3}),
    "立方厘米": (_F(1, 10**6), {"length": 3}),
    "立方分米": (_F(1, 1000), {"length": 3}),
    "acre": (_F(1), {"acre": 1}),
    "hectare": (_F(10**4), {"length": 2}),
}
_UNITS = {
    name: (Fraction(factor), {dimension: 1})
    for dimension, entries in _KNOWN.items()
    for name, factor in (entry.split("=") for entry in entries.split())
} | _DERIVED
_GENERIC = frozenset(("unit", "units", "单位"))
_LINKS = frozenset(("per", "a", "an", "each", "every"))
_POWERS = {"square": 2, "sq": 2, "squared": 2, "cubic": 3, "cu": 3, "cubed": 3}


@dataclass(frozen=True, slots=True)
class Unit:
    """How many base units one of these is, and the powers of the dimensions, sorted."""

    factor: Fraction
    dimensions: tuple[tuple[str, int], ...]

    @property
    def is_generic(self) -> bool:
        """`12 units` may stand for anything that is counted."""
        return any(name == "unit" for name, _ in self.dimensions)


PERCENT = Unit(Fraction(1, 100), (("percent", 1),))


def is_unit(word: str) -> bool:
    """Is this word of a formula a unit wherever it follows a number (`cm`, `hours`)?"""
    return len(word) > 1 and (_known(word) is not None or word.lower() in _POWERS)


def _known(word: str) -> tuple[Fraction, dict[str, int]] | None:
    for form in (word, word.lower(), _singular(word.lower())):
        if form in _UNITS and (len(form) > 1 or form == word):
            return _UNITS[form]
    return None


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses", "zzes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 2 else word


def parse_unit(parts: Sequence[str], is_one: bool = False) -> Unit | None:
    """The unit these words and signs (`/`, `*`, `^2`) name, all of them; None where they do not.

    `is_one` allows a noun in the singular: `1 marble`.
    """
    total, powers = Fraction(1), dict[str, int]()
    parts = [part for part in parts if part.lower() not in ("degree", "degrees")] or parts
    while len(parts) > 1 and parts[-1].lower() in TAILS:
        parts = parts[:-1]
    for words, exponent in _factors(parts):
        found = _factor(words, is_one or exponent < 0)
        if found is None:
            return None
        factor, dimensions = found
        total *= factor**exponent
        for name, power in dimensions.items():
            powers[name] = powers.get(name, 0) + power * exponent
    kept = tuple(sorted((name, power) for name, power in powers.items() if power))
    return Unit(total, kept) if powers else None


def _factors(parts: Sequence[str]) -> Iterator[tuple[list[str], int]]:
    """The words between signs, with the sign of their exponent."""
    words: list[str] = []
    sign = 1
    for part in parts:
        if part in ("/", "*") or (part in _LINKS and words):
            yield words, sign
            words, sign = [], 1 if part == "*" else -1
        elif part != ".":
            if words and _known(part) and _known(words[-1].split("^")[0] or words[0]):
                yield words, sign
                words = []
            words.append(part)
    yield words, sign


def _factor(words: list[str], is_singular: bool) -> tuple[Fraction, dict[str, int]] | None:
    power = 1
    rest: list[str] = []
    for word in words:
        if word.startswith("^"):
            power *= int(word[1:])
        elif word.lower() in _POWERS:
            power *= _POWERS[word.lower()]
        else:
            rest.append(word)
    if not rest or len(rest) > 4:
        return None
    if [word.lower() for word in rest[1:]] == ["old"]:
        rest = rest[:1]
    if len(rest) == 1 and (known := _known(rest[0])):
        return known[0] ** power, {name: p * power for name, p in known[1].items()}
    if len(rest) == 1 and rest[0].lower() in _GENERIC:
        return Fraction(1), {"unit": power}
    noun = _noun(rest, is_singular)
    return None if noun is None else (Fraction(1), {noun: power})


def _noun(words: list[str], is_singular: bool) -> str | None:
    """A counted thing: its last word is a plural, and no word is one that changes the number."""
    lowered = [word.lower() for word in words]
    head = lowered[-1]
    if head in COUNTERS:
        return head
    if not all(re.fullmatch(r"[a-z][a-z'-]+", word) for word in lowered):
        return None
    if any(word in NO_NOUNS or word in MODIFIERS for word in lowered):
        return None
    is_plural = head in UNMARKED_PLURALS or (
        head.endswith("s") and not head.endswith("ss") and len(head) > 3
    )
    if not is_plural and not is_singular:
        return None
    return " ".join([*lowered[:-1], _singular(head)])
