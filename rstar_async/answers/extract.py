"""The final answer inside a model's text. Pure, linear in the text, never raises.

All complete `\\boxed{...}` count, several as a list; with an `<answer>` section only what is in it
is read. Search and `rstar verify` read boxes by this one rule. A text without a box may conclude
with `the final answer is $...$`, or hold one formula; `answer_part` reads those too.
"""

import re

_ANSWER_OPEN = "<answer>"
_ANSWER_CLOSE = "<end_of_answer>"
_BOX = re.compile(r"\\(?:boxed|fbox)\s*(?=\{)")
_OPEN_BOX = re.compile(r"[\s$\\]*\\(?:boxed|fbox)\s*\{")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_WHOLE_TEXT = re.compile(r"\\(?:text|textbf|textit|textrm|textnormal|mathrm|mbox)\s*\{")
_FORMULA = r"(?:\$\$?([^$]+)\$\$?|\\\(([^$]+?)\\\)|\\\[([^$]+?)\\\])"
_CLAIM_WORDS = "is|are|equals|answer|solution|thus|so|therefore|hence|get|gives|obtain|find"
_ONE_FORMULA = re.compile(
    rf"(?i)((?:[^$\\\d=]*(?:\b(?:{_CLAIM_WORDS})|:)\s*)?){_FORMULA}\s*\.?"
    r"(?:\s*is (?:the|our|my) (?:final )?(?:answer|solution|result)\.?)?"
)
_BOUND = re.compile(
    r"(?i)\b(?:not|least|most|more|less|fewer|than|about|approximately|except|only)\b"
)
_LEADING_FORMULA = re.compile(r"\$([^$]+)\$((?: [a-z]+){1,2})")
_CONCLUSION = re.compile(
    r"(?i:final answer is)\s{0,4}:?\s{0,4}(?:\\\")?\$([^$]{1,200})\$(?:\\\")?\.?\s?I hope"
)
_CLAIM = re.compile(
    r"(?:\bis|\bare|\bby|\bget|\bit's)\s{1,4}([$€£¥]?-?\d(?:(?!\b(?:is|are|by)\b)[^$\\\n]){0,80}?)(?=\.?\s*$|\s(?:and|which)\s[^$\\\n]{0,80}\b(?:is|are)\s)"
)
_PERCENT_AFTER = re.compile(r"\}\s*\$?\s*(?:%|\\%|percent|pct)\.?\s*\$?\.?\s*$")
_CLAUSE = re.compile(r"\s(?:that|which|who|whose|satisfying|such that)\s.*", re.DOTALL)
_NOISE = re.compile(r"(?i)\s*(?:I hope it is correct\.?|<\|[a-z_]+\|>.{0,40}|Final Answer:)\s*")
_SENTENCE = re.compile(r"(?<![\\A-Za-z{])[A-Za-z]{2,}[ ,]+[A-Za-z']+[ ,]+")


def extract_answer(text: str) -> str | None:
    """The boxed answer, `\\text{}` around it removed; several boxes as a list; None without one.

    What is boxed twice is said once; a percent sign may stand after a single box.
    """
    section = _answer_section(text)
    boxes = list(dict.fromkeys(boxed_answers(section)))
    if not boxes:
        return None
    if len(boxes) == 1 and _PERCENT_AFTER.search(section):
        return boxes[0] + " percent"
    return ", ".join(map(unwrap_text, boxes))


def answer_part(text: str) -> str:
    """What a text concludes with, its boxes, its only formula; else the text as it is."""
    if (boxed := extract_answer(text)) is not None:
        return boxed
    if concluded := _CONCLUSION.findall(text):
        return str(concluded[-1]).strip()
    if opened := _OPEN_BOX.match(text):
        return text[opened.end() :].strip()
    formula = _ONE_FORMULA.fullmatch(text)
    if formula and not _BOUND.search(formula[1]):
        inner = formula[formula.lastindex or 0]
        return text if "\\(" in inner or "\\[" in inner else inner.strip()
    if leading := _LEADING_FORMULA.fullmatch(text):
        return leading[1] + leading[2]
    return _claimed(text) if _SENTENCE.search(text) else text


def _claimed(text: str) -> str:
    """The number a text says something is, with the words about it; or its last formula."""
    plain = _NOISE.sub(" ", text).strip()
    sentence = re.split(r"[.!?]\s+(?=[A-Z])", plain)[-1]
    if claims := _CLAIM.findall(sentence):
        is_only = len(claims) == 1 or " which is " in sentence
        return _CLAUSE.sub("", str(claims[-1])) if is_only else text
    formula = _ONE_FORMULA.fullmatch(sentence)
    if formula and not _BOUND.search(formula[1]):
        return str(formula[formula.lastindex or 0]).strip()
    return text


def boxed_answers(text: str) -> list[str]:
    """The contents of all closed outermost boxes, in order."""
    found: list[str] = []
    position = 0
    while box := _BOX.search(text, position):
        end = matching_brace(text, box.end())
        if end is None:
            return found + _inner_boxes(text, box.end() + 1)
        found.append(text[box.end() + 1 : end].strip())
        position = end
    return found


def _inner_boxes(text: str, start: int) -> list[str]:
    """Closed boxes after one that never closes: each is looked at once, so cost stays linear."""
    opened: list[int] = []
    boxes = {box.end() for box in _BOX.finditer(text, start)}
    found: list[str] = []
    for brace in _BRACE.finditer(text, start):
        if brace.group() == "{":
            opened.append(brace.start())
        elif brace.group() == "}" and opened and (at := opened.pop()) in boxes:
            found.append(text[at + 1 : brace.start()].strip())
    return found


def matching_brace(text: str, opening: int) -> int | None:
    """Index of the brace that closes the one at `opening`; escaped braces do not count."""
    depth = 0
    for brace in _BRACE.finditer(text, opening):
        if brace.group() == "{":
            depth += 1
        elif brace.group() == "}":
            depth -= 1
            if depth == 0:
                return brace.start()
    return None


def unwrap_text(answer: str) -> str:
    """`\\text{even}` -> `even`, when the command spans the whole answer."""
    for _ in range(4):
        command = _WHOLE_TEXT.match(answer)
        if not command or matching_brace(answer, command.end() - 1) != len(answer) - 1:
            break
        answer = answer[command.end() : -1].strip()
    return answer


def _answer_section(text: str) -> str:
    """The last `<answer>` section that contains a box; without one, the whole text."""
    start = text.rfind(_ANSWER_OPEN)
    if start < 0:
        return text
    end = text.find(_ANSWER_CLOSE, start)
    section = text[start + len(_ANSWER_OPEN) : end if end >= 0 else len(text)]
    return section if _BOX.search(section) else text
