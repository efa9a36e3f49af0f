"""What counts as the same answer: two named sets of rules.

`strict` is the default and what labels training data. `reference` imitates the permissive
grader of the released rStar-Math code (relative tolerance 1e-4, a factor of one hundred, units
ignored, either argument order) so that its numbers can be reproduced.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Verdict = Literal["equal", "different", "undecided"]
Finding = Verdict | None
"""None: a cheap test cannot tell, a slower one may. "undecided" is final."""
RulesName = Literal["strict", "reference"]


@dataclass(frozen=True)
class Rules:
    """Switches of the comparison; every one widens what is accepted as equal."""

    name: RulesName
    relative_tolerance: Fraction
    """Numbers closer than this are equal, however they are written. 0: only exact."""
    hundredfold: bool
    """Is 50 the same as 0.5, and as 5000?"""
    units_matter: bool
    """Do two different units make an answer undecidable? One missing unit never matters."""
    either_order: bool
    """Is it enough that gold and prediction agree when swapped?"""


STRICT = Rules("strict", Fraction(0), hundredfold=False, units_matter=True, either_order=False)
REFERENCE = Rules(
    "reference", Fraction(1, 10_000), hundredfold=True, units_matter=False, either_order=True
)
RULES: dict[str, Rules] = {"strict": STRICT, "reference": REFERENCE}


def all_of(findings: Iterable[Finding]) -> Finding:
    """One difference decides; then one undecided part; then one unknown."""
    found = list(findings)
    worse: tuple[Finding, ...] = ("different", "undecided", None)
    return next((finding for finding in worse if finding in found), "equal")
