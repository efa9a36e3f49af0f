"""Runs that differ from a run only in what their policies learn from."""

from collections.abc import Mapping
from typing import Any

OWN = "own solutions"
# Nothing is learnt from search, so it is kept short.
_DEMONSTRATIONS = (
    *("--policy.learn_from", "demonstrations", "--ppm.train", "false"),
    *("--search.rollouts", "1", "--evaluation.search", "false"),
)
NAMES = ("demonstrations", "random")


def settings_of(control: str, own: Mapping[str, Any]) -> tuple[str, ...]:
    """The settings of a control beside the run `own`, whose JSON document has the size of its
    trainings.

    demonstrations: as many rows of the bootstrap's, so as many steps. random: any right solution of
    a problem in place of the best one.
    """
    if control == "random":
        return ("--policy.pick", "random")
    rows = max(round_["rows"] or 0 for round_ in own["rounds"])
    return ("--policy.replay", str(rows), *_DEMONSTRATIONS)
