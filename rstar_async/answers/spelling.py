"""One spelling for the many ways to typeset an answer. Pure; cost linear in the text.

Only noise goes (dollars, `\\left`, thin spaces, `\\dfrac`, thousands separators, unicode signs);
nothing that could change the value. `spell` is idempotent.
"""

import re

from rstar_async.answers.extract import boxed_answers, matching_brace, unwrap_text

_SIGNS = str.maketrans(
    {
        "\u2212": "-", "\u2013": "-", "\u00d7": "*", "·": "*", "⋅": "*", "÷": "/", "π": "\\pi ",
        "∞": "\\infty ", "≤": "\\leq ", "≥": "\\geq ", "≠": "\\neq ", "\u222a": "\\cup ",
        "∈": "\\in ", "²": "^2", "³": "^3", "√": "\\sqrt ", "\uff0c": ",", "\uff08": "(",
        "\uff09": ")", "\uff05": "%", **dict.fromkeys("\u00a0\u2009\u202f\t\n\x0c\r", " "),
    }
)  # fmt: skip

_JOINER = re.compile(r"(?<=\d)\s*(?:\{\s*,\s*\}|,\s*\\!)\s*(?=\d{3}(?!\d))")
_THOUSANDS = re.compile(r"(?<![\d.,])([1-9]\d{0,2}(?:,\d{3})+)(?![\d,])")
_TIGHT = re.compile(r" ?([^A-Za-z0-9. ]) ?")
_ESCAPED_COMMAND = re.compile(r"\\\\(?=[A-Za-z])")

_REWRITES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\\(?:left|right|[bB]igg?[lrm]?|displaystyle|limits)(?![A-Za-z])\.?", ""),
        (r"\\[dtc]frac(?![A-Za-z])", r"\\frac"),
        (r"\^\s*(?:\{\s*\\(?:circ|degree)\s*\}|\\(?:circ|degree)(?![A-Za-z]))", "°"),
        (r"\\degree(?![A-Za-z])", "°"),
        (r"\\[!,;:>]|\\(?:q?quad|thinspace)(?![A-Za-z])|~", " "),
        (r"(?<!\\)\\ ", " "),
        (r"(?:,\s*)?\\(?:text|mbox|textrm)\s*\{\s*(?:and|or)\s*\}", ", "),
        (r"\\(?:cdot|times|ast)(?![A-Za-z])", "*"),
        (r"\\div(?![A-Za-z])", "/"),
        (r"\\leq?(?![A-Za-z])|\\leqslant(?![A-Za-z])|<=", r"\\leq "),
        (r"\\geq?(?![A-Za-z])|\\geqslant(?![A-Za-z])|>=", r"\\geq "),
        (r"\\neq?(?![A-Za-z])|!=", r"\\neq "),
        (r"\\lt(?![A-Za-z])", "<"),
        (r"\\gt(?![A-Za-z])", ">"),
        (r"\\(?:lbrace|lbrack)(?![A-Za-z])", r"\\{"),
        (r"\\(?:rbrace|rbrack)(?![A-Za-z])", r"\\}"),
        (r"\\([%$&#])", r"\1"),
        (r"_\{\s*(\w)\s*\}", r"_\1"),
        (r" +", " "),
    )
)


def spell(text: str) -> str:
    """The text with typographic noise removed and its outer wrapping opened."""
    text = _once(text)
    for _ in range(3):
        again = _once(text)
        if again == text:
            break
        text = again
    return text


def key(spelled: str) -> str:
    """A spelled text without the spaces that separate nothing; equal keys, equal answers."""
    return _TIGHT.sub(r"\1", spelled)


def _once(text: str) -> str:
    text = _unwrap(text.translate(_SIGNS).strip())
    if "\\begin" not in text:
        text = _ESCAPED_COMMAND.sub(r"\\", text)
    text = _JOINER.sub("", text)
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    return _without_separators(_unwrap(text.strip())).strip()


def _unwrap(text: str) -> str:
    """Open the dollars, brackets, box or `\\text{}` around the whole; drop a full stop."""
    for _ in range(8):
        opened = _open_once(text)
        if opened == text:
            break
        text = opened
    return text


def _open_once(text: str) -> str:
    for left, right in (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]")):
        inner = text[len(left) : -len(right)]
        if text.startswith(left) and text.endswith(right) and inner and left not in inner:
            return inner.strip() if not inner.endswith("\\") else text
    if text.startswith("\\boxed") and len(boxes := boxed_answers(text)) == 1:
        opening = text.find("{")
        if matching_brace(text, opening) == len(text) - 1:
            return boxes[0]
    if text.endswith(".") and not text.endswith(".."):
        return text[:-1].rstrip()
    return unwrap_text(text)


def _without_separators(text: str) -> str:
    """`1,234` -> `1234`, outside brackets only: there a comma separates items."""
    if any(bracket in text for bracket in "([") or "\\{" in text or ", " in text:
        return text
    return _THOUSANDS.sub(lambda number: number[1].replace(",", ""), text)
