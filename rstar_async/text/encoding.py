"""Text to token ids, in one way for search, SFT and PPM.

A question and an interpreter's output come from outside: they are encoded as plain text, so a tag
written inside them never becomes a special token.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from tokenizers import Tokenizer

from rstar_async.errors import BadInput
from rstar_async.sanitize import without_surrogates
from rstar_async.text import tags
from rstar_async.text.bos import BosIds, bos_ids_of
from rstar_async.text.chat_template import chat_template
from rstar_async.text.prompts import MATH_PROMPTS, Prompts
from rstar_async.text.steps import observation, split_after_end
from rstar_async.text.tokenizer_file import open_tokenizer

PromptStyle = Literal["tagged", "few_shot"]


class Encoder:
    """Encodes prompts and observations for one tokenizer, one prompt style and one kind of problem.

    `tagged`: the tags are special tokens, one id each. `few_shot`: the model has never seen them,
    so they are encoded as ordinary text and steps stop at strings. Prompts begin with `bos_ids`.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        style: PromptStyle,
        prompts: Prompts = MATH_PROMPTS,
        bos_ids: BosIds = (),
    ) -> None:
        self.bos_ids = bos_ids
        self._tokenizer = tokenizer
        self.style = style
        self._prompts = prompts

    @classmethod
    def load(
        cls,
        folder: Path,
        style: PromptStyle,
        prompts: Prompts = MATH_PROMPTS,
        bos_ids: Sequence[int] | None = None,
    ) -> "Encoder":
        """Read `tokenizer.json` of a model folder; `BadInput` if it is not there, or if its
        tokenizer lacks the tags that the style `tagged` needs. Without `bos_ids`, prompts begin as
        the folder says."""
        tokenizer = open_tokenizer(folder)
        begin = bos_ids_of(folder) if bos_ids is None else tuple(bos_ids)
        encoder = cls(tokenizer, style, prompts, begin)
        if style == "tagged":
            encoder.require_tags(folder)
        return encoder

    def require_tags(self, folder: Path) -> None:
        """`BadInput` if a tag is not a single token."""
        missing = [tag for tag in tags.SPECIAL_TOKENS if self._tokenizer.token_to_id(tag) is None]
        if missing:
            raise BadInput(f"the tokenizer of {folder} lacks the tags {', '.join(missing)}")

    @property
    def vocabulary(self) -> int:
        """Above every id of the tokenizer."""
        return 1 + max(self._tokenizer.get_vocab(with_added_tokens=True).values(), default=-1)

    @property
    def stop_token_ids(self) -> tuple[int, ...]:
        """Ids that end a step; empty in few-shot style."""
        if self.style == "few_shot":
            return ()
        return tuple(self._tokenizer.token_to_id(tag) for tag in tags.STEP_ENDS)

    @property
    def stop_texts(self) -> tuple[str, ...]:
        """Strings that end a step; empty in tagged style."""
        return tags.STEP_ENDS if self.style == "few_shot" else ()

    @property
    def opening(self) -> str:
        """What every solution begins with, so that the policy need not write it; empty in tagged
        style."""
        return self._prompts.few_shot_opening if self.style == "few_shot" else ""

    @property
    def shared_prefix_length(self) -> int:
        """How many leading ids all prompts of this style have in common."""
        return len(self.bos_ids) + len(self._before_question())

    def prompt(self, question: str) -> list[int]:
        """The ids before the first step."""
        begin = [*self.bos_ids, *self._before_question()]
        if self.style == "few_shot":
            return [*begin, *self._plain(question + self._prompts.few_shot_suffix)]
        return [*begin, *self._plain(question), *self._tagged(self._prompts.question_suffix)]

    def step(self, text: str) -> list[int]:
        """The ids of a step that this policy did not write, such as a demonstration's."""
        return self._tagged(text) if self.style == "tagged" else self._plain(text)

    def left_over(self, step: Sequence[int]) -> str:
        """What the ids of a step hold beyond its end. A stop that is a text may end inside a token:
        many tokenizers have one for `>` and the newline after it. Empty in tagged style."""
        if self.style == "tagged":
            return ""
        return split_after_end(self.decode(list(step)))[1]

    def observation(self, output: str, after: Sequence[int] = ()) -> list[int]:
        """The ids of the interpreter's output with its tags, for the place after a step's ids."""
        text = observation(output)
        if self.style == "few_shot":
            is_on_new_line = self.left_over(after).startswith("\n")
            return self._plain(text.removeprefix("\n") if is_on_new_line else text)
        inner = text.removeprefix(f"\n{tags.OUTPUT}").removesuffix(tags.END_OF_OUTPUT)
        return [
            *self._tagged(f"\n{tags.OUTPUT}"),
            *self._plain(inner),
            *self._tagged(tags.END_OF_OUTPUT),
        ]

    def chat_template(self) -> str:
        """The template by which other programs make the same ids of a conversation."""
        begin = "".join(self._tokenizer.id_to_token(bos) for bos in self.bos_ids)
        return chat_template(self._prompts, begin)

    def decode(self, tokens: list[int]) -> str:
        """The text of ids, tags kept."""
        text: str = self._tokenizer.decode(tokens, skip_special_tokens=False)
        return text

    def _before_question(self) -> list[int]:
        if self.style == "few_shot":
            return self._plain(self._prompts.few_shot_prefix)
        return self._tagged(self._prompts.question_prefix)

    def _tagged(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(
            without_surrogates(text), add_special_tokens=False
        ).ids
        return ids

    def _plain(self, text: str) -> list[int]:
        with self._tags_as_text():
            return self._tagged(text)

    @contextmanager
    def _tags_as_text(self) -> Iterator[None]:
        self._tokenizer.encode_special_tokens = True
        try:
            yield
        finally:
            self._tokenizer.encode_special_tokens = False
