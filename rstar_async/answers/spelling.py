"""One spelling for the many ways to typeset an answer. Pure; cost linear in the text.

Only noise goes (dollars, `\\left`, thin spaces, `\\dfrac`, digit groups, markdown, `Answer:`);
nothing that could change the value. `spell` is idempotent.
"""

import re

from rstar_async.answers.characters import plain_characters
from rstar_async.answers.extract import boxed_answers, matching_brace, unwrap_text

_TIGHT = re.compile(r" ?([^A-Za-z0-9. ]) ?")
_ESCAPED_COMMAND = re.compile(r"\\\\(?=[A-Za-z])")
_DOLLAR = re.compile(r"(?<!\\)\$")
_MARKDOWN = re.compile(r"(\*\*|__|\*|`|\")(?=\S)(.*\S)\1", re.DOTALL)
_HEADING = re.compile(r"(?:#{1,6}|>)\s+")
_FRENCH = re.compile(r"([\[\]])([^\[\]]+,[^\[\]]+)([\[\]])")
_ANGLES = re.compile(r"<([^<>=]+,[^<>=]+)>")
_LABEL = (
    r"(?:(?:so|thus|therefore|hence)\b,?\s*)?(?:the\s+)?(?:(?:final|correct)\s+)?"
    r"(?:answer|ans\.?|result|solution|option|choice)\s*(?:is\b\s*[:=]?|[:=])"
)
_PREFIX = re.compile(
    rf"(?i)\s*(?:\*\*{_LABEL}\s*\*\*|{_LABEL}|(?:option|choice)\s+(?=\(?[A-J]\b)"
    r"|answer\s+(?=[\d\\$(-])|答案[是为]?\s*[:=]?|=)\s*"
)
_GROUPED = re.compile(
    r"(?<![\d.,^_{/])(?:[1-9]\d{0,2}(?:\\[,;:! ]\d{3})+|[1-9]\d{0,2}(?:[ ']\d{3})+"
    r"|[1-9]\d{0,2}(?:_\d{3})+)(?![\d/])"
)
_JOINER = re.compile(r"(?<=\d)\s*(?:\{\s*,\s*\}|,\s*\\!)\s*(?=\d{3}(?!\d))")
_THOUSANDS = re.compile(r"(?<![\d.,])([1-9]\d{0,2}(?:,\d{3})+)(?![\d,])")
_REPEATED = re.compile(
    r"(\d*\.\d*)(?:\\(?:overline|bar|dot)\s*\{\s*(\d+)\s*\}|\\(?:bar|dot)\s*(\d)|(?<=\.)\((\d+)\))"
)
_DOTTED = re.compile(r"(\d*\.\d*)\\dot\s*\{?(\d)\}?(\d*)\\dot\s*\{?(\d)\}?")
_ENDLESS = re.compile(r"(?<![\d.])(\d*\.\d*?)(\d+?)\2+(?:\.\.\.|\\[lc]?dots)(?!\s*[,.\d])")
_HALF_OF_DAY = re.compile(r"(?<![A-Za-z])([aApP])\.\s?[mM](?![A-Za-z])\.?")
_GLUED_WORD = re.compile(r"(?<=[\d)}])(and|or)(?=[A-Z\\(\d-])")

_REWRITES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\\(?:left|right|middle|[bB]igg?[lrm]?|displaystyle|limits|nolimits)(?![A-Za-z])\.?", ""),
        (r"\\[dtc]frac(?![A-Za-z])", r"\\frac"),
        (r"\\[dt]binom(?![A-Za-z])", r"\\binom"),
        (r"\^\s*(?:\{\s*\\(?:circ|degree)\s*\}|\\(?:circ|degree)(?![A-Za-z])|°)", "°"),
        (r"\^\s*\{?\s*(?:\\(?:text|mathrm)\s*\{\s*o\s*\}|o(?![A-Za-z]))\s*\}?", "°"),
        (r"\\degree(?![A-Za-z])|\\textdegree(?![A-Za-z])", "°"),
        (r"(?:\{\s*\})?[_^]\s*\{?(\d+)\}?\s*C\s*_\s*\{?(\d+)\}?", r"\\binom{\1}{\2}"),
        (r"\\[!,;:>]|\\(?:q?quad|thinspace|hspace\s*\{[^{}]*\}|enspace)(?![A-Za-z])|~", " "),
        (r"(?<!\\)\\ ", " "),
        (r"\\(?:cdot|ast)(?![A-Za-z])", "*"),
        (r"\\div(?![A-Za-z])", "/"),
        (r"\\colon(?![A-Za-z])", ":"),
        (r"\\leq?(?![A-Za-z])|\\leqslant(?![A-Za-z])|<=", r"\\leq "),
        (r"\\geq?(?![A-Za-z])|\\geqslant(?![A-Za-z])|>=", r"\\geq "),
        (r"\\neq?(?![A-Za-z])|!=", r"\\neq "),
        (r"\\lt(?![A-Za-z])", "<"),
        (r"\\gt(?![A-Za-z])", ">"),
        (r"\\(?:[lr]?vert|mid)(?![A-Za-z])", "|"),
        (r"\\(?:dots[cmbio]?|[lc]dots)(?![A-Za-z])", "..."),
        (r"\\(?:lbrace|lbrack)(?![A-Za-z])", r"\\{"),
        (r"\\(?:rbrace|rbrack)(?![A-Za-z])", r"\\}"),
        (r"\\([%$&#])", r"\1"),
        (r"_\{\s*(\w)\s*\}(?!\w)", r"_\1"),
        (r"\s+", " "),
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
    text = _unwrap(plain_characters(text).strip())
    if "\\begin" not in text:
        text = _ESCAPED_COMMAND.sub(r"\\", text)
    text = _without_mathematics_mode(text)
    text = _repeating(_JOINER.sub("", text))
    if "[" not in text:
        text = _GROUPED.sub(lambda number: re.sub(r"[^\d]", "", number[0]), text)
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    text = _GLUED_WORD.sub(r" \1 ", _HALF_OF_DAY.sub(r"\1m", text))
    return _without_separators(_unwrap(_brackets(text.strip()))).strip()


def _brackets(text: str) -> str:
    """`]2, 3[` as `(2, 3)` and `<1, 2>` as a vector."""
    if text[:1] == "]" or (text[:1] == "[" and text[-1:] == "["):
        ends = {"]": "(", "[": "["}, {"[": ")", "]": "]"}
        return _FRENCH.sub(lambda m: ends[0][m[1]] + m[2] + ends[1][m[3]], text)
    angles = _ANGLES.fullmatch(text)
    return f"\\langle {angles[1]}\\rangle " if angles else text


def _repeating(text: str) -> str:
    """`0.1\\overline{6}`, `0.1\\dot6`, `0.1(6)` and `0.166...` as `0.1↻6`."""
    text = _DOTTED.sub(r"\1↻\2\3\4", text)
    text = _REPEATED.sub(lambda m: f"{m[1]}↻{m[2] or m[3] or m[4]}", text)
    text = re.sub(r"(↻\d+)\s*(?:\.\.\.|\\[lc]?dots)", r"\1", text)
    return text if "2.71828" in text else _ENDLESS.sub(r"\1↻\2", text)


def _without_mathematics_mode(text: str) -> str:
    """Dollars that come in pairs delimit formulas; a single one is a currency."""
    text = re.sub(r"\\[()]", " ", text) if "\\(" in text and "\\)" in text else text
    if len(_DOLLAR.findall(text)) % 2 == 0:
        return _DOLLAR.sub("", text)
    return text


def _unwrap(text: str) -> str:
    """Open the box or `\\text{}` around the whole; drop a full stop, `Answer:` and markdown."""
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
    if (heading := _HEADING.match(text)) and heading.end() < len(text):
        return text[heading.end() :]
    if (marked := _MARKDOWN.fullmatch(text)) and marked[1] not in marked[2]:
        return marked[2]
    if (prefix := _PREFIX.match(text)) and prefix.end() < len(text):
        return text[prefix.end() :].strip()
    return unwrap_text(text)


def _without_separators(text: str) -> str:
    """`1,234` -> `1234`, outside brackets only: there a comma separates items."""
    if any(bracket in text for bracket in "([") or "\\{" in text or ", " in text:
        return text
    return _THOUSANDS.sub(lambda number: number[1].replace(",", ""), text)
