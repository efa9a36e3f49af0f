"""Characters of the world's keyboards as ASCII and LaTeX. Pure, linear, total.

Every character either means one thing, and is written as that, or stays as it is and is refused
by the tokenizer. Compatibility forms (full width, ligatures) are folded by Unicode's own tables.
"""

# ruff: noqa: RUF001

import re
import unicodedata
from functools import lru_cache

_SIGNS = {
    **dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\u2014\u2015\ufe63\uff0d", "-"),
    "×": "\\times ", **dict.fromkeys("⋅·∙∗", "*"), **dict.fromkeys("∕⁄", "/"), "÷": "/",
    "∶": ":", "±": "\\pm ", "∓": "\\mp ", "∞": "\\infty ", **dict.fromkeys("≤⩽≦", "\\leq "),
    "≠": "\\neq ",
    **dict.fromkeys("≥⩾≧", "\\geq "), "≈": "\\approx ", "≡": "\\equiv ", "∈": "\\in ",
    "∪": "\\cup ", "∩": "\\cap ", "∖": "\\setminus ", "∅": "\\emptyset ", "→": "\\to ",
    "⌊": "\\lfloor ", "⌋": "\\rfloor ", "⌈": "\\lceil ", "⌉": "\\rceil ", "⟨": "\\langle ",
    "⟩": "\\rangle ", "∀": "\\forall ", "∠": "\\angle ", "△": "\\triangle ", "∣": "|",
    "∧": "\\wedge ", "∨": "\\vee ", "…": "...", "⋯": "...", "º": "°", "˚": "°", "∘": "°",
    "′": "'", "’": "'", "‘": "'", "″": "''", "“": '"', "”": '"', "ℝ": "\\mathbb{R}",
    "ℤ": "\\mathbb{Z}", "ℕ": "\\mathbb{N}", "ℚ": "\\mathbb{Q}", "ℂ": "\\mathbb{C}", "、": ",",
    "。": ".", "；": ";", "【": "[", "】": "]", "￥": "¥", "℃": "°C", "℉": "°F", "µ": "\\mu ",
}  # fmt: skip
_SPACES = (
    "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)
_KEPT = re.compile("[\u2460-\u24ff\u2776-\u2793]")
"""Circled numbers name statements; folding them would make digits of them."""
_ROOT = re.compile(r"([√∛])\s*(\d+(?:\.\d+)?|[A-Za-z]|)")
_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ", "0123456789+-=()ni", strict=True))
_SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₒₓₙₘₖᵢ", "0123456789+-=()aeoxnmki", strict=True))
_RAISED = re.compile(f"[{''.join(_SUPERSCRIPTS)}]+")
_LOWERED = re.compile(f"[{''.join(_SUBSCRIPTS)}]+")
_AREA = re.compile(r"(?<=\d)\s?(mm|cm|dm|km|m|in|ft|yd)([²³])(?=\.?$)")
_PLAIN = re.compile(r"[\n\r\t\x0c -~]*")


def plain_characters(text: str) -> str:
    """The text in ASCII and LaTeX as far as its characters have such a meaning."""
    if _PLAIN.fullmatch(text):
        return text
    text = _AREA.sub(r"\\text{ \1}\2", text)
    text = _ROOT.sub(_root, unicodedata.normalize("NFC", text))
    text = _RAISED.sub(lambda run: f"^{{{_mapped(run[0], _SUPERSCRIPTS)}}}", text)
    text = _LOWERED.sub(lambda run: f"_{{{_mapped(run[0], _SUBSCRIPTS)}}}", text)
    return "".join(map(_plain, text))


def _root(sign: re.Match[str]) -> str:
    degree = "[3]" if sign[1] == "∛" else ""
    return f"\\sqrt{degree}" + (f"{{{sign[2]}}}" if sign[2] else " ")


def _mapped(run: str, table: dict[str, str]) -> str:
    return "".join(table[character] for character in run)


@lru_cache(maxsize=4096)
def _plain(character: str) -> str:
    if character.isascii():
        return character
    if character in _SIGNS:
        return _SIGNS[character]
    if character in _SPACES:
        return " "
    if unicodedata.category(character) == "Cf":
        return ""
    if _KEPT.fullmatch(character):
        return character
    if unicodedata.category(character) == "Nd":
        return str(unicodedata.digit(character))
    return _by_name(character)


def _by_name(character: str) -> str:
    name = unicodedata.name(character, "")
    if name.startswith("VULGAR FRACTION"):
        top, _, bottom = unicodedata.normalize("NFKC", character).partition("\u2044")
        return f"\\frac{{{top}}}{{{bottom}}}" if bottom else character
    greek = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER ([A-Z]+)", name)
    if greek and greek[2] != "OMICRON":
        letter = greek[2].lower().replace("lamda", "lambda")
        return f"\\{letter if greek[1] == 'SMALL' else letter.capitalize()} "
    folded = unicodedata.normalize("NFKC", character)
    return "".join(_SIGNS.get(part, part) for part in folded)
