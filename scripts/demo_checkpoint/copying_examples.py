"""Stories of random words, to be quoted sentence by sentence.

A tiny model that is trained on meaningful stories alone learns templates and misquotes new text.
Random words cannot be guessed, only copied: a few hundred steps on these examples first teach it to
find a sentence by its number and to repeat it, and to repeat the output.
"""

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING

from rstar_async.demo.draft import numbered
from rstar_async.text import tags
from rstar_async.text.encoding import Encoder
from scripts.demo_checkpoint.examples import Example, joined

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SPACE = "\u0120"  # a space in byte-level tokens


def copying_examples(
    count: int, words: Sequence[str], encoder: Encoder, random: Random
) -> list[Example]:
    """`count` stories of two to eight sentences, each with its quotations as the solution."""
    return [_story(words, encoder, random) for _ in range(count)]


def whole_words(tokenizer: "Tokenizer") -> list[str]:
    """The words and numbers that are one token each."""
    spelt = sorted(tokenizer.get_vocab())
    words = [token.removeprefix(SPACE) for token in spelt if token.startswith(SPACE)]
    return [word for word in words if word.isalpha() or word.isdigit()]


def random_story(words: Sequence[str], random: Random) -> list[str]:
    """Two to eight numbered sentences of random words."""
    sentences = [
        " ".join(random.choice(words) for _ in range(random.randint(2, 8))) + "."
        for _ in range(random.randint(2, 8))
    ]
    return numbered(sentences)


def _story(words: Sequence[str], encoder: Encoder, random: Random) -> Example:
    story, output = random_story(words, random), str(random.randint(0, 999))
    *quoted, last = (f"# {sentence}\n" for sentence in story)
    steps = "".join(f"{quote}{tags.END_OF_STEP}\n" for quote in quoted)
    program = f"{tags.CODE}\n{steps}{last}# Now print the final answer\n{tags.END_OF_CODE}"
    answer = f"\n{tags.ANSWER}\\boxed{{{output}}}{tags.END_OF_ANSWER}"
    return joined(
        (encoder.prompt(" ".join(story)), False),
        (encoder.step(program), True),
        (encoder.observation(output), False),
        (encoder.step(answer), True),
    )
