"""What requests must satisfy before they reach a model.

On a GPU an id without an embedding ends the whole process, so ids are checked first. A request that
is only too long gets a partial answer, from which the search learns to continue elsewhere: a prompt
without room for a token gets samples without tokens, a step that does not fit after its prefix gets
NaN.
"""

from collections.abc import Iterable, Sequence
from math import nan
from typing import NamedTuple

from rstar_async.engines.errors import BadRequest
from rstar_async.wire.payloads import Generate, Score, TokenIds


def check_generate(request: Generate) -> None:
    """`BadRequest` for what no model could answer."""
    sampling = request.sampling
    if not request.prompt:
        raise BadRequest("the prompt is empty")
    if request.n < 1:
        raise BadRequest(f"n is {request.n}; at least one sample must be asked for")
    if not 0 <= sampling.temperature < float("inf"):
        raise BadRequest(f"temperature is {sampling.temperature}; it must be 0 or more")
    if not 0 < sampling.top_p <= 1:
        raise BadRequest(f"top_p is {sampling.top_p}; it must be above 0 and at most 1")
    if "" in sampling.stop_texts:
        raise BadRequest("a stop text is empty")


def check_score(request: Score) -> None:
    """`BadRequest` for what no model could answer."""
    if not request.steps:
        raise BadRequest("there is no step to score")
    if not all(request.steps):
        raise BadRequest("a step is empty: it has no last token to be valued at")


class ModelLimits(NamedTuple):
    """Ids run from 0 up to `vocabulary`; a sequence has at most `context` tokens."""

    vocabulary: int
    context: int

    def check_generate(self, request: Generate) -> None:
        self._check_ids(request.prompt, "the prompt")

    def check_score(self, request: Score) -> None:
        self._check_ids(request.prefix, "the prefix")
        for step in request.steps:
            self._check_ids(step, "a step")

    def max_new_tokens(self, request: Generate) -> int:
        """How many tokens each sample may have; 0 if the prompt leaves no room."""
        return max(0, min(request.sampling.max_tokens, self.context - len(request.prompt)))

    def fitting_steps(self, request: Score) -> list[TokenIds]:
        """The steps that fit behind the prefix."""
        return [step for step in request.steps if self._fits(request, step)]

    def with_nan(self, request: Score, values: Iterable[float]) -> list[float]:
        """`values` of the `fitting_steps`, with NaN inserted for each of the other steps."""
        found = iter(values)
        return [next(found) if self._fits(request, step) else nan for step in request.steps]

    def _fits(self, request: Score, step: TokenIds) -> bool:
        return len(request.prefix) + len(step) <= self.context

    def _check_ids(self, ids: Sequence[int], name: str) -> None:
        bad = next((i for i in ids if not 0 <= i < self.vocabulary), None)
        if bad is not None:
            known = f"the model knows 0 to {self.vocabulary - 1}"
            raise BadRequest(f"{name} holds token id {bad}; {known}")
