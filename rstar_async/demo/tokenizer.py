"""The demo's own tokenizer: one token for a template word or a number up to 99, bytes for the rest.

Byte-level, so any text survives `decode(encode(text))`; step tags are special tokens. Newlines
always stand alone, so text cut at a line end or a tag has the tokens of the uncut text.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rstar_async.demo.problems import WordProblem, word_problems
from rstar_async.text import tags
from rstar_async.text.prompts import QUESTION_PREFIX, QUESTION_SUFFIX

if TYPE_CHECKING:
    from tokenizers import Tokenizer

END, PAD = "<eos>", "<pad>"
VOCABULARY = 1024
# A word or a number of at most two digits takes the space before it; a newline takes nothing.
PIECES = r" ?\p{L}+| ?\d{1,2}|\n| ?[^\s\p{L}\d]+|[^\S\n]+"
# Every number that is to be one token.
NUMBERS = [f"{n} {n}\n{n:02} {n:02}\n" for n in range(100)] * 20


def tiny_tokenizer() -> "Tokenizer":
    """Train the tokenizer on the texts of the easy levels; the result is deterministic."""
    return trained_tokenizer([*_corpus(), *NUMBERS], PIECES)


def trained_tokenizer(corpus: Sequence[str], pieces: str) -> "Tokenizer":
    """A tokenizer with the frequent ones of the corpus's `pieces`, a regular expression."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pieces), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        min_frequency=2,
        special_tokens=[PAD, END, *tags.SPECIAL_TOKENS],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    return tokenizer


def full_text(problem: WordProblem) -> str:
    """Prompt and gold solution as one text."""
    return QUESTION_PREFIX + problem.question + QUESTION_SUFFIX + problem.solution


def _corpus() -> list[str]:
    problems = word_problems(6000, (1, 2), 0, "demonstration", garbled=True)
    return [*map(full_text, problems)]
