"""Whether a step does what the question says, for the demo's questions, whose meaning is known.

A step is judged by what it does to the values that the steps before it left: not by its words, nor
by whether those values are right. A step whose program cannot be carried out here has no verdict.
"""

import re
from collections.abc import Callable, Sequence

from rstar_async.demo.arithmetic import State, Unreadable
from rstar_async.demo.sentences import Sentence, read_question

# The sources of a program's steps, of which the last is judged.
ProgramJudge = Callable[[Sequence[str]], bool | None]

_QUOTED = re.compile(r"^# *(\d{1,6})\) ", re.MULTILINE)


def program_judge(question: str) -> ProgramJudge | None:
    """The judge of programs for one question; None unless it is a question of the demo."""
    sentences = read_question(question)
    if sentences is None:
        return None

    def judge(program: Sequence[str]) -> bool | None:
        *before, last = program
        try:
            return _does_what_is_said(sentences, before, last)
        except Unreadable:
            return None

    return judge


def _does_what_is_said(
    sentences: Sequence[Sentence], before: Sequence[str], last: str
) -> bool | None:
    """Whether `last` does what the sentences say that it quotes by number, and these come next;
    None if it quotes none."""
    numbers = quoted(last)
    if not numbers:
        return None
    if not come_next(sentences, [n for source in before for n in quoted(source)], numbers):
        return False
    state = State()
    for source in before:
        state = state.after(source)
    said = "\n".join(line for number in numbers for line in sentences[number - 1].lines)
    done, wanted = state.after(last), state.after(said)
    return done.printed == wanted.printed and all(
        done.variables.get(name) == value for name, value in wanted.variables.items()
    )


def quoted(source: str) -> list[int]:
    """The numbers of the sentences that the comments of a step quote."""
    return [int(number) for number in _QUOTED.findall(source)]


def come_next(sentences: Sequence[Sentence], before: Sequence[int], quoted: Sequence[int]) -> bool:
    """Whether the numbers rise, from the last one before, and pass over nothing but asides."""
    numbers = [max(before, default=0), *quoted]
    if numbers != sorted(set(numbers)) or numbers[-1] > len(sentences):
        return False
    passed = set(range(numbers[0] + 1, numbers[-1])) - set(quoted)
    return not any(sentences[number - 1].lines for number in passed)
