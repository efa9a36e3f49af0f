"""How many labels are right, where the truth about steps is known (`Domain.step_judge`). Pure.

Search labels a step by the answers below it: a wrong step may lead to a right answer by luck, and a
right one to wrong answers.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache

from rstar_async.data.preferences import Preference
from rstar_async.domains.base import Domain, PathStep
from rstar_async.search.paths import parent_of, path_from_root
from rstar_async.trainer.dataset import StoredTree

# By whether the chosen and the rejected side are right.
LABELS: Mapping[tuple[bool, bool], str] = {
    (True, False): "right",
    (False, True): "inverted",
    (True, True): "both_right",
    (False, False): "both_wrong",
}


class TreeJudge:
    """Verdicts on the steps of one tree; None for each where the truth is not known."""

    def __init__(self, stored: StoredTree, domain: Domain) -> None:
        self._nodes = stored.tree.nodes
        self._judge = domain.step_judge(stored.question)
        self.step = cache(self._step)

    def _step(self, path: str) -> bool | None:
        """Whether the step at `path` is right in itself, after the steps before it."""
        if self._judge is None:
            return None
        candidates = [self._nodes[each].candidate for each in path_from_root(path)]
        return self._judge([PathStep(c.text, c.step, c.stdout) for c in candidates])

    def process(self, path: str) -> bool | None:
        """Whether all steps up to `path` are right; None if one is not known and none is wrong."""
        verdicts = {self.step(each) for each in path_from_root(path)}
        if False in verdicts:
            return False
        return None if None in verdicts else True


def count_labels(judge: TreeJudge, pairs: Iterable[Preference]) -> Counter[str]:
    """The judged pairs by `LABELS`: siblings by their own steps, solutions by all of theirs."""
    counts: Counter[str] = Counter()
    for pair in pairs:
        siblings = parent_of(pair.chosen) == parent_of(pair.rejected)
        verdict = judge.step if siblings else judge.process
        chosen, rejected = verdict(pair.chosen), verdict(pair.rejected)
        if chosen is not None and rejected is not None:
            counts[LABELS[chosen, rejected]] += 1
    return counts


def count_processes(judge: TreeJudge, stored: StoredTree) -> Counter[str]:
    """The answers of a tree that were verified as right, by whether all their steps are: `right`
    and `wrong`."""
    right = [node.path for node in stored.tree.answers() if node.candidate.is_correct]
    verdicts = [judge.process(path) for path in right]
    return Counter("right" if verdict else "wrong" for verdict in verdicts if verdict is not None)


def label_metrics(counts: Counter[str]) -> dict[str, int]:
    """The metrics of a PPM that learnt from these labels; none if none could be judged."""
    if not counts:
        return {}
    by_label = {f"labels_{name}": counts[name] for name in LABELS.values()}
    return {"labels_judged": counts.total(), **by_label}


def process_metrics(counts: Counter[str]) -> dict[str, int]:
    """The metrics of a round whose right answers were judged; none if none could be."""
    if not counts:
        return {}
    return {"solutions_judged": counts.total(), "solutions_right_process": counts["right"]}
