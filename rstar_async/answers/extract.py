"""The final answer inside a model's text. Pure, linear in the text, never raises.

The last complete `\\boxed{...}` counts; with an `<answer>` section only what is in it is read.
Nothing is cut at sentence ends: `\\boxed{1.\\n}` and answers followed by prose keep their text.
"""

import re

_ANSWER_OPEN = "<answer>"
_ANSWER_CLOSE = "<end_of_answer>"
_BOX = re.compile(r"\\(?:boxed|fbox)\s*(?=\{)")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_WHOLE_TEXT = re.compile(r"\\(?:text|textbf|textit|textrm|textnormal|mathrm|mbox)\s*\{")


def extract_answer(text: str) -> str | None:
    """The content of the last closed box, `\\text{}` around it removed; None without one."""
    answers = boxed_answers(_answer_section(text))
    return unwrap_text(answers[-1]) if answers else None


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
