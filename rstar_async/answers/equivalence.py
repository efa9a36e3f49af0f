"""The cheap ladder: spelling, then trees compared part by part. Pure, of bounded cost, total.

Equal only where everything in both answers was read and agrees; what was not understood is
undecided. Gold comes first and the relation is not symmetric: `5` answers for `x = 5`, a printed
list for a set. Any text equals itself.
"""

import logging
from dataclasses import dataclass

from rstar_async.answers.extract import answer_part
from rstar_async.answers.latex_text import to_latex
from rstar_async.answers.normal_form import NormalForm, normal_form
from rstar_async.answers.rules import STRICT, Finding, Rules, Verdict
from rstar_async.answers.structures import compare_answers
from rstar_async.answers.tree import SCALARS, NotUnderstood, Num

MAX_CHARS = 20_000
"""Longer answers are equal to themselves and otherwise undecided."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Question:
    """What to ask the slow verifier: two answers read as a whole, written as LaTeX."""

    gold: str
    predicted: str


def compare(gold: str, predicted: str, rules: Rules = STRICT) -> Verdict | Question:
    """A sure verdict, or the question that is left; an error in here is logged and undecided."""
    try:
        return _compare(gold.strip(), predicted.strip(), rules)
    except NotUnderstood:
        return "undecided"
    except Exception as error:
        log.warning(
            "answers not compared: %s: %s gold=%.80a predicted=%.80a",
            type(error).__name__, error, gold, predicted,
        )  # fmt: skip
        return "undecided"


def _compare(gold: str, predicted: str, rules: Rules) -> Verdict | Question:
    if gold == predicted:
        return "equal"
    if not gold or not predicted:
        return "different"
    if max(len(gold), len(predicted)) > MAX_CHARS:
        return "undecided"
    one, other = normal_form(answer_part(gold)), normal_form(answer_part(predicted))
    finding = compare_forms(one, other, rules)
    if rules.either_order and finding != "equal":
        swapped = compare_forms(other, one, rules)
        finding = swapped if swapped == "equal" else finding
    return finding or _question(one, other)


def compare_forms(gold: NormalForm, predicted: NormalForm, rules: Rules) -> Finding:
    """The ladder on two normal forms; None is left for the verifier."""
    if gold.tree is None or predicted.tree is None:
        is_same = gold.tree is predicted.tree and gold.key == predicted.key
        return "equal" if is_same else "undecided"
    one, other = gold.tree, predicted.tree
    if gold.decimal and isinstance(other, Num):
        one = gold.decimal
    if predicted.decimal and isinstance(one, Num):
        other = predicted.decimal
    return compare_answers(one, other, rules)


def _question(gold: NormalForm, predicted: NormalForm) -> Verdict | Question:
    """Only formulas, in a form the verifier reads in full: of relations it drops the names."""
    if not (isinstance(gold.tree, SCALARS) and isinstance(predicted.tree, SCALARS)):
        return "undecided"
    try:
        return Question(f"${to_latex(gold.tree)}$", f"${to_latex(predicted.tree)}$")
    except NotUnderstood:
        return "undecided"
