"""What the programming demo's bootstrap is trained on, as token ids.

Copying examples first: numbered sentences and a list of random words, to be repeated. Random words
cannot be guessed, only copied.
"""

from collections.abc import Sequence
from random import Random

from rstar_async.demo.programs.tasks import ProgramTask
from rstar_async.text import tags
from rstar_async.text.encoding import Encoder
from scripts.demo_checkpoint.copying_examples import random_story
from scripts.demo_checkpoint.examples import Example, joined


def solution_example(task: ProgramTask, encoder: Encoder) -> Example:
    """The prompt and the gold solution."""
    return _example(task.question, task.solution, encoder)


def copying_examples(
    count: int, words: Sequence[str], encoder: Encoder, random: Random
) -> list[Example]:
    """`count` stories of two to eight sentences and a list, each with its quotations as the
    solution."""
    return [_copied(words, encoder, random) for _ in range(count)]


def _copied(words: Sequence[str], encoder: Encoder, random: Random) -> Example:
    story = random_story(words, random)
    first, *quoted = (f"# {sentence}\n" for sentence in story)
    items = _list(words, random)
    steps = f"\n{tags.END_OF_STEP}\n".join([f"{first}example = {items}", *quoted[:-1]])
    solution = f"{tags.CODE}\n{steps}\n{tags.END_OF_STEP}\n{quoted[-1]}{tags.END_OF_CODE}"
    return _example(f"{' '.join(story)}\nassert solve({items}) == 0", solution, encoder)


def _list(words: Sequence[str], random: Random) -> str:
    """A list of words, a list of numbers or a text, as Python."""
    length = random.randint(3, 6)
    if random.random() < 0.4:
        return str([random.randint(0, 99) for _ in range(length)])
    chosen = [random.choice(words) for _ in range(length)]
    if random.random() < 0.3:
        return f'"{" ".join(chosen)}"'
    return str(chosen).replace("'", '"')


def _example(question: str, solution: str, encoder: Encoder) -> Example:
    return joined((encoder.prompt(question), False), (encoder.step(solution), True))
