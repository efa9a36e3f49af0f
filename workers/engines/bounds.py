"""What a model can take: checked before anything reaches torch.

On a GPU an id without an embedding would end the whole process.
"""

from collections.abc import Sequence
from typing import NamedTuple

from rstar_async.wire.payloads import Generate, Score
from workers.engines.interface import BadRequest


class Bounds(NamedTuple):
    """Ids run from 0 up to `vocabulary`; a sequence has at most `context` tokens."""

    vocabulary: int
    context: int

    def check_generate(self, request: Generate) -> None:
        self._check_ids(request.prompt, "the prompt")
        self._check_length(len(request.prompt), "the prompt has")

    def check_score(self, request: Score) -> None:
        self._check_ids(request.prefix, "the prefix")
        for step in request.steps:
            self._check_ids(step, "a step")
        longest = len(request.prefix) + max(map(len, request.steps))
        self._check_length(longest, "prefix and step have")

    def room(self, request: Generate) -> int:
        """How many tokens each sample may have; perhaps none."""
        return max(0, min(request.sampling.max_tokens, self.context - len(request.prompt)))

    def _check_ids(self, ids: Sequence[int], name: str) -> None:
        bad = next((i for i in ids if not 0 <= i < self.vocabulary), None)
        if bad is not None:
            known = f"the model knows 0 to {self.vocabulary - 1}"
            raise BadRequest(f"{name} holds token id {bad}; {known}")

    def _check_length(self, tokens: int, name: str) -> None:
        if tokens > self.context:
            raise BadRequest(f"{name} {tokens} tokens, the model's context is {self.context}")
