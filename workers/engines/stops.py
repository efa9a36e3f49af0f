"""When a sample ends: at a stop id, an end-of-text id, a stop text or its length, in that order.

Ids are the truth: a stop text that ends inside a token keeps the whole token. Because the rule is
asked after every token, the first hit is the smallest prefix of ids whose text holds the stop.
"""

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

from rstar_async.wire.payloads import Sampling

Decode: TypeAlias = Callable[[Sequence[int]], str]
Finish: TypeAlias = Literal["stop", "length", "eos"]

# Tokens looked at beyond the stop's own bytes: a decoder may treat the first token of a text
# differently (a stripped space, half a character), and some tokens have no text at all.
MARGIN = 4


class StopRule:
    """Built once per request; `limit` is the number of tokens a sample may have."""

    def __init__(
        self, sampling: Sampling, ends: frozenset[int], limit: int, decode: Decode
    ) -> None:
        self.limit = limit
        self._ids = frozenset(sampling.stop_token_ids)
        self._ends = ends
        self._texts = sampling.stop_texts
        self._decode = decode
        self._window = max((len(t.encode()) for t in self._texts), default=0) + MARGIN

    def verdict(self, tokens: Sequence[int]) -> Finish | None:
        """Why `tokens` end here, or None; with "eos" the last token is to be dropped."""
        last = tokens[-1]
        if last in self._ids:
            return "stop"
        if last in self._ends:
            return "eos"
        if self._texts and self._shows_stop(tokens):
            return "stop"
        return "length" if len(tokens) >= self.limit else None

    def _shows_stop(self, tokens: Sequence[int]) -> bool:
        """Look at the newest tokens only; believe a hit when the whole text shows it too."""
        tail = self._decode(tokens[-self._window :])
        if not any(text in tail for text in self._texts):
            return False
        whole = self._decode(tokens)
        return any(text in whole for text in self._texts)
