"""From seconds to rates, shares of limits, and the comparison of engines; nothing is run here."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from benchmarks.engine.contenders import STORED, Contender
from benchmarks.engine.jobs import Measured, Spent
from benchmarks.engine.limits import Machine, decode_limit, prefill_limit
from benchmarks.engine.sizes import Sizes
from benchmarks.engine.workload import TokenIds


class Rate(NamedTuple):
    """Tokens by the CPU second and by the second; None where the time was lost in the noise."""

    cpu: float | None
    wall: float | None


class Rates(NamedTuple):
    """`prefill` counts the tokens of distinct prompts, which need be computed only once; `decode`
    the tokens after each sequence's first; `search` all new tokens of all levels, by all seconds
    that they took, prompts included."""

    prefill: Rate
    decode: Rate
    search: Rate


class Limits(NamedTuple):
    """What a machine can at best, by the CPU second."""

    machine: Machine
    sizes: Sizes

    def decode(self, precision: str, sequences: int) -> float:
        return decode_limit(self.machine, self.sizes, STORED[precision], sequences)

    def prefill(self, precision: str) -> float:
        return prefill_limit(self.machine, self.sizes, STORED[precision])


def rates_of(measured: Measured, new_tokens: int, levels: int) -> Rates:
    sequences = measured.shape.sequences
    return Rates(
        _rate(measured.prompt_tokens, measured.prefill),
        _rate(sequences * (new_tokens - 1), measured.first - measured.prefill),
        _rate(sequences * new_tokens * levels, measured.first + measured.later),
    )


def share(rate: float | None, limit: float) -> float | None:
    return None if rate is None else rate / limit


def differing(ours: Sequence[TokenIds], theirs: Sequence[TokenIds]) -> int:
    """Tokens of `theirs` that are not the same in `ours`; after the first, all of an answer."""
    return sum(
        len(other) - _same(answer, other) for answer, other in zip(ours, theirs, strict=True)
    )


def best(rates: Mapping[Contender, float | None], among: Iterable[Contender]) -> float | None:
    known = [rate for each in among if (rate := rates.get(each)) is not None]
    return max(known, default=None)


def _rate(tokens: int, spent: Spent) -> Rate:
    return Rate(_over(tokens, spent.cpu), _over(tokens, spent.wall))


def _over(tokens: int, seconds: float) -> float | None:
    return tokens / seconds if seconds > 0 else None


def _same(answer: TokenIds, other: TokenIds) -> int:
    """How many tokens the two begin with alike."""
    for number, (one, two) in enumerate(zip(answer, other, strict=False)):
        if one != two:
            return number
    return min(len(answer), len(other))
