"""Token ids of questions: generated word problems, one after another, to the length wanted."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from benchmarks.engine.workload import TokenIds
from rstar_async.demo.problems import word_problems
from rstar_async.text.tokenizer_file import open_tokenizer

LEVELS, SEED = (1, 2, 3), 1
# Fewer tokens than this has no problem's text in any tokenizer.
TOKENS_EACH = 15


def questions(folder: Path, lengths: Sequence[int]) -> list[TokenIds]:
    """As many as there are lengths, no two of which begin alike."""
    tokenizer = open_tokenizer(folder)
    counts = [-(-length // TOKENS_EACH) for length in lengths]
    problems = iter(word_problems(sum(counts), LEVELS, SEED, "train"))
    found = []
    for length, count in zip(lengths, counts, strict=True):
        text = "\n".join(problem.question for problem in islice(problems, count))
        ids = tokenizer.encode(text, add_special_tokens=False).ids[:length]
        if len(ids) < length:
            raise ValueError(f"{count} problems have {len(ids)} tokens, not {length}")
        found.append(ids)
    return found
