"""What is compared: settings of the PPM that differ from those of the run. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PAIRS = {"step pairs": False, "paper pairs": True}
TOKENS = {"last token": "last_token", "every token": "differing_tokens"}
LOSSES = {"pair loss": "pairwise", "BCE": "bce", "both": "both"}
DEFAULT = "step pairs, every token, both"
MANY_STEPS = 450  # as many as three rounds make, each going on from the last
PAPER = "paper pairs, last token, pair loss"


@dataclass(frozen=True)
class Variant:
    """`settings` are those of `[ppm]`; `rounds` is how many of the run's rounds it learns from,
    0 means all."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    rounds: int = 0


def variants(rounds: int) -> list[Variant]:
    """Every combination of pairs, tokens and loss, the other objectives, fewer rounds, and more
    steps."""
    combined = [
        Variant(
            f"{pairs}, {tokens}, {loss}",
            {
                "trajectory_pairs": PAIRS[pairs],
                "score_at": TOKENS[tokens],
                "pair_loss": LOSSES[loss],
            },
        )
        for pairs in PAIRS
        for tokens in TOKENS
        for loss in LOSSES
    ]
    objectives = [Variant(name.upper(), {"objective": name}) for name in ("pqm", "orm")]
    fewer = [Variant(f"{DEFAULT}, rounds 1 to {n}", rounds=n) for n in range(1, rounds)]
    longer = Variant(f"{DEFAULT}, {MANY_STEPS} steps", {"min_steps": MANY_STEPS})
    return [*combined, *objectives, *fewer, longer]
