"""Bulk checks of a file of answer pairs, for `rstar verify FILE [--json]`. Synchronous.

The file is a JSON list, or JSON lines, of `{gold, pred, equal?, src?}`; `predicted`, `label` and
`source` are understood too. Undecided never agrees with a label, whatever the label says.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import trio

from rstar_async.answers.checker import Checker, open_checker
from rstar_async.answers.equivalence import Question, compare
from rstar_async.answers.normal_form import normal_form
from rstar_async.answers.pairs import Pair, read_pairs
from rstar_async.answers.rules import RULES, Rules, RulesName, Verdict

SHOWN_CHARS = 120


class Score(msgspec.Struct, frozen=True):
    """Agreement with the labels; precision and recall of the verdict "equal". None: no labels."""

    pairs: int
    labelled: int
    equal: int
    different: int
    undecided: int
    agreement: float | None
    precision: float | None
    recall: float | None


class Disagreement(msgspec.Struct, frozen=True):
    index: int
    source: str
    gold: str
    predicted: str
    label: bool
    verdict: Verdict


class Report(msgspec.Struct, frozen=True):
    """`per_second` counts from the moment the verifier child is ready."""

    path: str
    rules: RulesName
    total: Score
    per_second: float
    seconds: float
    start_seconds: float
    by_verifier: int
    timeouts: int
    by_source: dict[str, Score]
    disagreements: list[Disagreement]
    verdicts: list[Verdict]


def verify_file(
    path: Path | str, *, rules: RulesName = "strict", workers: int = 1, seconds: float = 5.0
) -> Report:
    """Check every pair of the file; `BadInput` names the file and the entry that is wrong."""
    path = Path(path)
    pairs = read_pairs(path)
    return trio.run(_verify, path, pairs, rules, workers, seconds)


async def _verify(
    path: Path, pairs: Sequence[Pair], rules: RulesName, workers: int, seconds: float
) -> Report:
    async with open_checker(workers, seconds, rules) as checker:
        opened = time.monotonic()
        if _needs_verifier(pairs, RULES[rules]):
            await checker.warm()
        normal_form.cache_clear()  # so that the speed is that of reading, too
        started = time.monotonic()
        verdicts = await _judge(checker, pairs, tasks=workers + 1)
        ended = time.monotonic()
        counts = checker.statistics()
    judged = list(zip(pairs, verdicts, strict=True))
    sources = sorted({pair.source for pair in pairs})
    return Report(
        path=str(path),
        rules=rules,
        total=score(judged),
        per_second=len(pairs) / max(ended - started, 1e-9),
        seconds=ended - started,
        start_seconds=started - opened,
        by_verifier=counts.by_verifier,
        timeouts=counts.timeouts,
        by_source={name: score([j for j in judged if j[0].source == name]) for name in sources},
        disagreements=_disagreements(judged),
        verdicts=verdicts,
    )


def _needs_verifier(pairs: Sequence[Pair], rules: Rules) -> bool:
    return any(isinstance(compare(p.gold, p.predicted, rules), Question) for p in pairs)


async def _judge(checker: Checker, pairs: Sequence[Pair], tasks: int) -> list[Verdict]:
    """Verdicts in the order of the pairs; a few tasks share one iterator."""
    verdicts: dict[int, Verdict] = {}
    todo = iter(enumerate(pairs))

    async def work() -> None:
        for index, pair in todo:
            verdicts[index] = await checker.equal(pair.gold, pair.predicted)

    async with trio.open_nursery() as nursery:
        for _ in range(tasks):
            nursery.start_soon(work)
    return [verdicts[index] for index in range(len(pairs))]


def score(judged: Sequence[tuple[Pair, Verdict]]) -> Score:
    """Counts and ratios of one group of pairs."""
    found = [verdict for _, verdict in judged]
    labelled = [(pair.equal, verdict) for pair, verdict in judged if pair.equal is not None]
    agreed = sum(verdict == ("equal" if label else "different") for label, verdict in labelled)
    claimed = [label for label, verdict in labelled if verdict == "equal"]
    truly = [verdict for label, verdict in labelled if label]
    return Score(
        pairs=len(judged),
        labelled=len(labelled),
        equal=found.count("equal"),
        different=found.count("different"),
        undecided=found.count("undecided"),
        agreement=_ratio(agreed, len(labelled)),
        precision=_ratio(claimed.count(True), len(claimed)),
        recall=_ratio(truly.count("equal"), len(truly)),
    )


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _disagreements(judged: Sequence[tuple[Pair, Verdict]]) -> list[Disagreement]:
    return [
        Disagreement(
            index, pair.source, _shown(pair.gold), _shown(pair.predicted), pair.equal, verdict
        )
        for index, (pair, verdict) in enumerate(judged)
        if pair.equal is not None and verdict != ("equal" if pair.equal else "different")
    ]


def _shown(text: str) -> str:
    return text if len(text) <= SHOWN_CHARS else "…" + text[-SHOWN_CHARS:]
