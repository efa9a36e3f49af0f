"""Proves that a prepared folder means what its base did.

Read back, it must give the same ids for a text, the same text for those ids, and the same greedy
continuation of a prompt. A model that fails one of these would train and search in silence, on
programs without spaces or with weights that were lost on the way.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from rstar_async.engines.exact_attention import with_exact_attention
from rstar_async.errors import BadInput
from rstar_async.models.sources import Source
from rstar_async.text import tags
from rstar_async.text.bos import BosIds
from rstar_async.text.tokenizer_file import open_tokenizer
from rstar_async.trainer.base_reading import reading
from rstar_async.trainer.base_tokenizer import BaseTokenizer

log = logging.getLogger(__name__)

# No character here changes under the Unicode normal forms that tokenizers apply.
PROBE = (
    "If 3x + 12 = 1,024.50 - 7/8, is x ≤ π? Çava, 中文, 🙂.\n"
    "def f(x_1, s='a'):\n"
    "    if x_1 > 10:\n"
    "\treturn [x_1**2, {s: 0.125}]  # two  spaces\n"
    "\n\n"
    'print(f(2026), "\\\\boxed{42}")'
)
TAGGED_PROBE = (
    f"{tags.USER}:\nWhat is 3 + 4?\n{tags.ASSISTANT}: {tags.CODE}\n# Step 1: Add\n    x = 3 + 4\n"
    f"{tags.END_OF_STEP}\nprint(x)\n{tags.END_OF_CODE}\n{tags.OUTPUT}7{tags.END_OF_OUTPUT}\n"
    f"{tags.ANSWER}\\boxed{{7}}{tags.END_OF_ANSWER}"
)
# Short, because a base may have billions of weights and stand on a CPU.
PROMPT_TOKENS, NEW_TOKENS = 16, 4
_AFTER_TAG = re.compile(f"({'|'.join(map(re.escape, tags.SPECIAL_TOKENS))}) ")


@dataclass(frozen=True, slots=True)
class Meaning:
    """Of a base, before it was changed: the ids of `PROBE`, and the greedy continuation of the
    first of these, drawn from its first `vocabulary` ids."""

    ids: list[int]
    bos_ids: BosIds
    continuation: list[int]
    vocabulary: int

    @property
    def prompt(self) -> list[int]:
        return _prompt(self.bos_ids, self.ids)


def _prompt(bos_ids: BosIds, ids: Sequence[int]) -> list[int]:
    return [*bos_ids, *ids[:PROMPT_TOKENS]]


def meaning_of(source: Source, model: Any, tokenizer: BaseTokenizer) -> Meaning:
    """`BadInput` if tokenizers and transformers disagree, the text is not kept, or the weights give
    no numbers."""
    ids = tokenizer.alone.encode(PROBE, add_special_tokens=False).ids
    if tokenizer.loaded.encode(PROBE, add_special_tokens=False) != ids:
        raise _unproven(source, "transformers reads a text as other ids than tokenizer.json does")
    _require_same_text(source, PROBE, tokenizer.alone.decode(ids, skip_special_tokens=False))
    vocabulary = min(len(tokenizer.loaded), model.get_input_embeddings().num_embeddings)
    with reading(source, "run"):
        continuation = greedy(model, _prompt(tokenizer.bos_ids, ids), vocabulary)
    if not continuation:
        raise _unproven(source, "its weights give no finite number")
    return Meaning(ids, tokenizer.bos_ids, continuation, vocabulary)


def prove(source: Source, folder: Path, before: Meaning) -> None:
    """`BadInput` names what the prepared `folder` does in another way than its base."""
    _prove_tokenizer(source, folder, before)
    with reading(source, "load what was saved of"):
        model = AutoModelForCausalLM.from_pretrained(folder, dtype="float32").eval()
        after = greedy(with_exact_attention(model), before.prompt, before.vocabulary)
    if after != before.continuation:
        raise _unproven(source, "its weights, once saved, continue a prompt in another way")


def _prove_tokenizer(source: Source, folder: Path, before: Meaning) -> None:
    alone = open_tokenizer(folder)
    with reading(source, "load what was saved of"):
        loaded = PreTrainedTokenizerFast.from_pretrained(folder)
    tagged = alone.encode(TAGGED_PROBE, add_special_tokens=False).ids
    for text, wanted in ((PROBE, before.ids), (TAGGED_PROBE, tagged)):
        read = alone.encode(text, add_special_tokens=False).ids
        if not read == wanted == loaded.encode(text, add_special_tokens=False):
            raise _unproven(source, "its tokenizer, once saved, reads a text as other ids")
        _require_same_text(source, text, alone.decode(wanted, skip_special_tokens=False))
    begun = [*before.bos_ids, *before.ids]
    if not loaded.encode(PROBE) == begun == alone.encode(PROBE).ids:
        raise _unproven(source, "its tokenizer, once saved, puts other ids before or after a text")
    _warn_of_other_class(source, folder, before.ids)


def _warn_of_other_class(source: Source, folder: Path, ids: list[int]) -> None:
    """Nothing here uses `AutoTokenizer`, but servers do. For some families it builds the family's
    own tokenizer whatever the folder says."""
    try:
        automatic = AutoTokenizer.from_pretrained(folder).encode(PROBE, add_special_tokens=False)
    except Exception:  # a family's own class may not fit the file at all
        automatic = None
    if automatic != ids:
        log.warning(
            "AutoTokenizer reads text as other ids than this model's tokenizer.json: load it by "
            "PreTrainedTokenizerFast, and send servers token ids",
            extra={"base": str(source)},
        )


def _require_same_text(source: Source, text: str, decoded: str) -> None:
    """Tokenizers that put a space before a text (Llama 2) put one after each tag too, where neither
    the parser of steps nor Python minds it."""
    text, decoded = (_AFTER_TAG.sub(r"\1", each) for each in (text, decoded))
    if decoded == text:
        return
    at = next((i for i, pair in enumerate(zip(text, decoded, strict=False)) if len({*pair}) > 1), 0)
    given, got = text[max(0, at - 8) : at + 8], decoded[max(0, at - 8) : at + 8]
    raise _unproven(
        source,
        f"its tokenizer does not keep text: {given!r} comes back as {got!r}, so no program could "
        "be written with it",
    )


def _unproven(source: Source, reason: str) -> BadInput:
    return BadInput(f"model.base: {source} cannot be used: {reason}")


@torch.no_grad()
def greedy(model: Any, prompt: Sequence[int], vocabulary: int) -> list[int]:
    """The likeliest next ids below `vocabulary`, one after the other; none if one is not finite."""
    ids = list(prompt)
    for _ in range(NEW_TOKENS):
        logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1, :vocabulary]
        if not logits.isfinite().all():
            return []
        ids.append(int(logits.argmax()))
    return ids[len(prompt) :]
