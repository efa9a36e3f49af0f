"""The cheap ladder: spelling, exact numbers, then trees compared part by part.

`compare` is pure, needs no process and has a bounded cost. It returns a verdict it is sure of,
or a `Question` for the slow verifier. Gold comes first and the relation is not symmetric: `5`
answers for `x = 5`, a printed list for a set. Any text equals itself.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from rstar_async.answers.extract import boxed_answers
from rstar_async.answers.latex_text import to_latex
from rstar_async.answers.normal_form import NormalForm, normal_form
from rstar_async.answers.rules import STRICT, Finding, Rules, Verdict
from rstar_async.answers.structures import compare_trees
from rstar_async.answers.tree import SCALARS, Const, Node, Num, Sym, multiply, power

MAX_CHARS = 20_000
"""Longer answers are equal to themselves and otherwise undecided."""

_DELIMITER = re.compile(r"(?<!\\)\$|\\boxed|\\\(|\\\[")
_ONE_FORMULA = re.compile(r"[^$\\\d=]*(?:\$([^$]+)\$|\\\(([^$]+)\\\)|\\\[([^$]+)\\\])\s*\.?")
_CONCLUSION = re.compile(r"(?i:final answer is)\s{0,4}:?\s{0,4}\$([^$]{1,200})\$\.?\s?I hope")
_BETWEEN = re.compile(
    r"\\(?:text|mbox)\{\s*(?:and|or)\s*\}|\b(?:and|or)\b|\\q?quad|\\[()\[\] ]|[$,;.\s]"
)
_LEADING_FORMULA = re.compile(r"\$([^$]+)\$((?: [a-z]+){1,2})")
_PROSE = re.compile(r"(?<![\\A-Za-z{])[A-Za-z]{2,}[ ,]+(?:[a-z]+[ ,]+){2}")
_LETTER_UNIT = re.compile(r"([a-z])(?: ([23]))?")
_PERCENT = Num(Fraction(1, 100))
_DEGREE = multiply(Num(Fraction(1, 180)), Const("pi"))


@dataclass(frozen=True)
class Question:
    """What to ask the slow verifier: both texts in a form math-verify reads."""

    gold: str
    predicted: str


def compare(gold: str, predicted: str, rules: Rules = STRICT) -> Verdict | Question:
    """A sure verdict, or the question that is left."""
    gold, predicted = gold.strip(), predicted.strip()
    if gold == predicted:
        return "equal"
    if not gold or not predicted:
        return "different"
    if max(len(gold), len(predicted)) > MAX_CHARS:
        return "undecided"
    gold, predicted = _answer_part(gold), _answer_part(predicted)
    forms = normal_form(gold), normal_form(predicted)
    finding = compare_forms(*forms, rules)
    if rules.either_order and finding != "equal":
        swapped = compare_forms(forms[1], forms[0], rules)
        finding = swapped if swapped == "equal" else finding
    return finding or Question(_readable(gold, forms[0]), _readable(predicted, forms[1]))


def compare_forms(gold: NormalForm, predicted: NormalForm, rules: Rules) -> Finding:
    """The ladder on two normal forms; None is left for the verifier."""
    if gold.key == predicted.key and gold.key:
        return "equal"
    if _is_same_word(gold.key, predicted.key):
        return "equal"
    if gold.tree is None or predicted.tree is None:
        return None
    return _compare_measured(gold, predicted, gold.tree, predicted.tree, rules)


def _compare_measured(
    gold: NormalForm, predicted: NormalForm, one: Node, other: Node, rules: Rules
) -> Finding:
    if rules.units_matter and gold.unit != predicted.unit and gold.unit and predicted.unit:
        return "undecided"
    if gold.decimal and isinstance(other, Num):
        one = gold.decimal
    if predicted.decimal and isinstance(one, Num):
        other = predicted.decimal
    finding = compare_trees(one, other, rules)
    if finding == "equal":
        return finding
    for alternative in _other_readings(gold, predicted, one, other):
        if compare_trees(*alternative, rules) == "equal":
            return "equal"
    return finding


def _other_readings(
    gold: NormalForm, predicted: NormalForm, one: Node, other: Node
) -> list[tuple[Node, Node]]:
    """50% also means 0.5, 90 degrees pi/2 and 5 meters `5 m`, where only one side says so."""
    if not (isinstance(one, SCALARS) and isinstance(other, SCALARS)):
        return []
    scale, is_gold = _scale(gold), True
    if scale == _scale(predicted):
        return []
    if scale is None:
        scale, is_gold = _scale(predicted), False
    if scale is None:
        return []
    return [(multiply(one, scale), other) if is_gold else (one, multiply(other, scale))]


def _scale(form: NormalForm) -> Node | None:
    """What the value is times of, if its percent sign or unit is taken at its word."""
    if form.percent:
        return _PERCENT
    if form.unit == "degree":
        return _DEGREE
    letter = _LETTER_UNIT.fullmatch(form.unit)
    return power(Sym(letter[1]), Num(Fraction(int(letter[2] or 1)))) if letter else None


def _answer_part(text: str) -> str:
    """What a text concludes with, its only box, its only formula; else the text as it is."""
    if concluded := _CONCLUSION.findall(text):
        return str(concluded[-1]).strip()
    if "\\boxed" in text:
        return _boxed_part(text)
    if formula := _ONE_FORMULA.fullmatch(text):
        inner = formula[formula.lastindex or 0]
        return text if "\\(" in inner or "\\[" in inner else inner.strip()
    if leading := _LEADING_FORMULA.fullmatch(text):
        return leading[1] + leading[2]
    return text


def _boxed_part(text: str) -> str:
    """The only box, or several with nothing but `and` between them as a list."""
    boxes = boxed_answers(text)
    if not boxes or any("$" in box.replace("\\$", "") for box in boxes):
        return text
    if len(boxes) == 1:
        return boxes[0]
    between = text
    for box in boxes:
        between = between.replace(f"\\boxed{{{box}}}", "", 1)
    return text if _BETWEEN.sub("", between) else ", ".join(boxes)


def _is_same_word(one: str, other: str) -> bool:
    return one.isalpha() and len(one) > 1 and one.casefold() == other.casefold()


def _readable(text: str, form: NormalForm) -> str:
    """math-verify reads LaTeX in a box, or prose as it is; never a Python expression."""
    if form.is_python and form.tree is not None:
        return f"\\boxed{{{to_latex(form.tree)}}}"
    if _DELIMITER.search(text) or _PROSE.search(text):
        return text
    return f"\\boxed{{{text}}}"
