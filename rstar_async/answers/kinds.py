"""Answers that are no formulas, compared: words, choices, quantities, numerals, times, dates."""

from collections.abc import Callable
from fractions import Fraction

from rstar_async.answers.closeness import compare_scalars
from rstar_async.answers.rules import Finding, Rules
from rstar_async.answers.tree import (
    DEGREE,
    SCALARS,
    Choice,
    Congruence,
    Const,
    Date,
    Group,
    Node,
    Num,
    Numeral,
    Product,
    Quantity,
    Sum,
    Sym,
    Time,
    Word,
    add,
    divide,
    multiply,
    negate,
    power,
)
from rstar_async.answers.units import PERCENT, Unit

Compare = Callable[[Node, Node, Rules], Finding]
_LETTERS = {"m": "m", "g": "g", "s": "s", "h": "h", "l": "l", "L": "L", "J": "J", "N": "N"}
_ARTICLES = ("a ", "an ", "the ")


def compare_words(gold: Node, predicted: Node, rules: Rules, compare: Compare) -> Finding:
    """Words are the same or, single ones, different; letters may also be a product or choices."""
    if isinstance(gold, Word) and isinstance(predicted, Word):
        return _two_words(_bare(gold), _bare(predicted))
    word, other = (gold, predicted) if isinstance(gold, Word) else (predicted, gold)
    assert isinstance(word, Word)
    if isinstance(other, Group) and _are_letters(other):
        return _letters(word.text, "".join(_letter(item) for item in other.items))
    if isinstance(other, Numeral):
        return "equal" if word.text.upper().lstrip("0") == other.digits else "undecided"
    if isinstance(other, Product | Sum) and len(word.text) <= 3:
        letters = multiply(*map(Sym, word.text))
        return "equal" if compare_scalars(letters, other, rules) == "equal" else "undecided"
    if " " in word.text.strip() or isinstance(other, Choice | Date | Time | Const):
        return "undecided"
    is_formula = isinstance(other, SCALARS) and not isinstance(other, Num)
    may_be_number = not word.text.isascii() or set(word.text) <= set("IVXLCDM")
    return "undecided" if is_formula or may_be_number else "different"


def _bare(word: Word) -> str:
    text = " ".join(word.text.strip("() ").casefold().split())
    article = next((a for a in _ARTICLES if text.startswith(a)), "")
    return text.removeprefix(article)


def _two_words(one: str, other: str) -> Finding:
    if one == other:
        return "equal"
    if not (one.isalpha() and other.isalpha()) or one.startswith(other) or other.startswith(one):
        return "different" if _are_circled(one) and _are_circled(other) else "undecided"
    return "undecided" if sorted(one) == sorted(other) else "different"


def _are_circled(text: str) -> bool:
    return bool(text) and all("\u2460" <= sign <= "\u2793" for sign in text)


def _are_letters(group: Group) -> bool:
    return group.kind in ("list", "square", "set", "round") and all(map(_letter, group.items))


def _letter(node: Node) -> str:
    text = node.name if isinstance(node, Sym) else node.text if isinstance(node, Word) else ""
    return text if len(text) == 1 and (text.isupper() or _are_circled(text)) else ""


def _letters(one: str, other: str) -> Finding:
    if one == other:
        return "equal"
    return "undecided" if sorted(one) == sorted(other) else "different"


def compare_choices(gold: Node, predicted: Node, rules: Rules, compare: Compare) -> Finding:
    """The letter counts; what it stands for may answer for it."""
    if isinstance(gold, Choice) and isinstance(predicted, Choice):
        if gold.letter != predicted.letter:
            return "different"
        if gold.value is None or predicted.value is None:
            return "equal"
        found = compare(gold.value, predicted.value, rules)
        return "equal" if found == "equal" else "undecided"
    choice, other = (gold, predicted) if isinstance(gold, Choice) else (predicted, gold)
    assert isinstance(choice, Choice)
    if isinstance(other, Sym | Word):
        text = other.name if isinstance(other, Sym) else other.text
        if len(text) == 1:
            return "equal" if text == choice.letter else "different"
    if choice.value is None:
        return "different" if isinstance(other, Num) else "undecided"
    return compare(choice.value, other, rules)


def compare_quantities(gold: Node, predicted: Node, rules: Rules, compare: Compare) -> Finding:
    """Units convert; one missing unit does not matter unless several were written."""
    if isinstance(gold, Quantity) and isinstance(predicted, Quantity):
        return _two_quantities(gold, predicted, rules)
    quantity, other = (gold, predicted) if isinstance(gold, Quantity) else (predicted, gold)
    assert isinstance(quantity, Quantity)
    if not isinstance(other, SCALARS):
        return "undecided" if isinstance(other, Group) and len(other.items) == 1 else "different"
    if quantity.is_compound:
        return "undecided"
    if _has_degrees(other) and quantity.unit.dimensions != (("angle", 1),):
        return "different"
    is_gold = quantity is gold
    for value in (quantity.value, *_other_values(quantity)):
        one, two = (value, other) if is_gold else (other, value)
        if compare_scalars(one, two, rules) == "equal":
            return "equal"
    return _bare_number(quantity, other, rules)


def _other_values(quantity: Quantity) -> list[Node]:
    """50% also means 0.5 and 5 meters `5 m`, where only one side says so."""
    if quantity.unit == PERCENT:
        return [divide(quantity.value, Num(Fraction(100)))]
    dimensions = quantity.unit.dimensions
    if len(dimensions) != 1 or not 1 <= dimensions[0][1] <= 3:
        return []
    letter = {"length": "m", "mass": "g", "volume": "L"}.get(dimensions[0][0])
    if letter is None or quantity.unit.factor != 1:
        return []
    return [multiply(quantity.value, power(Sym(letter), Num(Fraction(dimensions[0][1]))))]


def _has_degrees(node: Node) -> bool:
    return node == DEGREE or (isinstance(node, Product) and DEGREE in node.factors)


def _bare_number(quantity: Quantity, other: Node, rules: Rules) -> Finding:
    """Different, unless the number may be meant in a related unit."""
    found = compare_scalars(quantity.value, other, rules)
    if not (isinstance(quantity.value, Num) and isinstance(other, Num)):
        return found
    if quantity.unit == PERCENT or not quantity.value.value or not other.value:
        return found
    ratio = other.value / quantity.value.value
    usual = {Fraction(n) for n in (7, 12, 24, 36, 60, 100, 1000, 3600, 3, 10, 16, 10000)}
    return "undecided" if ratio in usual or 1 / ratio in usual else found


def _two_quantities(gold: Quantity, predicted: Quantity, rules: Rules) -> Finding:
    if gold.unit == predicted.unit or not rules.units_matter:
        return compare_scalars(gold.value, predicted.value, rules)
    if gold.unit.is_generic or predicted.unit.is_generic:
        found = compare_scalars(gold.value, predicted.value, rules)
        return found if found == "equal" else "undecided"
    if gold.unit.dimensions == predicted.unit.dimensions:
        return compare_scalars(_in_base_units(gold), _in_base_units(predicted), rules)
    if PERCENT in (gold.unit, predicted.unit):
        return "different"
    return "undecided"


def _in_base_units(quantity: Quantity) -> Node:
    unit: Unit = quantity.unit
    return multiply(quantity.value, Num(unit.factor))


def compare_numerals(gold: Node, predicted: Node, rules: Rules, compare: Compare) -> Finding:
    """Numerals in one base compare by their digits; a plain number may repeat the digits."""
    if isinstance(gold, Numeral) and isinstance(predicted, Numeral):
        if gold.base == predicted.base:
            return "equal" if gold.digits == predicted.digits else "different"
        return "equal" if _value(gold) == _value(predicted) is not None else "different"
    numeral, other = (gold, predicted) if isinstance(gold, Numeral) else (predicted, gold)
    assert isinstance(numeral, Numeral)
    if not isinstance(other, Num):
        return "different" if isinstance(other, (*SCALARS, Group)) else "undecided"
    if str(other.value) == numeral.digits:
        return "equal"
    return "undecided" if other.value == _value(numeral) else "different"


def _value(numeral: Numeral) -> int | None:
    try:
        return int(numeral.digits, numeral.base)
    except ValueError:
        return None


def compare_times(gold: Node, predicted: Node, rules: Rules, compare: Compare) -> Finding:
    """A time without its half of the day is not the whole answer."""
    if isinstance(gold, Time) and isinstance(predicted, Time):
        return "equal" if gold == predicted else "different"
    time, other = (gold, predicted) if isinstance(gold, Time) else (predicted, gold)
    assert isinstance(time, Time)
    clock = clock_seconds(other)
    if clock is None:
        return "undecided"
    afternoon = 43_200 if time.half == "pm" else 0
    if clock >= 46_800 or clock < 3_600:
        return "equal" if clock == time.seconds + afternoon else "different"
    is_same = clock % 43_200 == time.seconds
    return "undecided" if is_same and predicted is time else "different"


def clock_seconds(node: Node) -> int | None:
    """`17:30` as seconds, if it may be a time of day."""
    match node:
        case Group(kind="ratio", items=(Num(value=hours), Num(value=minutes) as second)):
            is_clock = hours.denominator == minutes.denominator == 1 and second.digits == 0
            if is_clock and 0 <= hours <= 24 and 0 <= minutes < 60:
                return int(hours * 3600 + minutes * 60)
    return None


def compare_dates(gold: Node, predicted: Node, rules: Rules, compare: Compare) -> Finding:
    """What both say must agree; what only one says leaves it undecided."""
    if not isinstance(gold, Date) or not isinstance(predicted, Date):
        return "undecided"
    fields = ("year", "month", "day", "weekday")
    pairs = [(getattr(gold, name), getattr(predicted, name)) for name in fields]
    if any(one and other and one != other for one, other in pairs):
        return "different"
    missing = [bool(one) != bool(other) for one, other in pairs[:1]]
    return "undecided" if any(missing) else "equal"


def compare_congruences(gold: Node, predicted: Node, rules: Rules, compare: Compare) -> Finding:
    """The same name, the same modulus, and residues that differ by a multiple of it."""
    if not isinstance(gold, Congruence) or not isinstance(predicted, Congruence):
        return "undecided"
    if gold.left is not None and predicted.left is not None and gold.left != predicted.left:
        return "undecided"
    moduli = compare(gold.modulus, predicted.modulus, rules)
    if moduli != "equal":
        return moduli
    if not isinstance(gold.right, SCALARS) or not isinstance(predicted.right, SCALARS):
        return compare(gold.right, predicted.right, rules)
    gap = add(gold.right, negate(predicted.right))
    if isinstance(gap, Num) and isinstance(gold.modulus, Num) and gold.modulus.value:
        return "equal" if (gap.value / gold.modulus.value).denominator == 1 else "different"
    return compare(gold.right, predicted.right, rules)
