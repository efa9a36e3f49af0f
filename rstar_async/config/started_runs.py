"""Settings of a run that was started before, perhaps by an older version. Pure.

A run keeps to what it was started with. A recipe that does not name a setting therefore means the
value that the run has, also where the default has changed since.
"""

from collections.abc import Mapping
from typing import Any

from rstar_async.config.layers import Layer, merged, unflattened
from rstar_async.config.schema import known_settings

# How fast a run goes and where, not what it does: these may differ between two starts.
FREE_SECTIONS = ("workers", "openai", "observe", "slurm", "home", "database")

# Settings that older versions did not have, with the value that describes what those did.
BEFORE_THEY_EXISTED: Mapping[str, Any] = {
    "ppm.score_at": "last_token",
    "ppm.pair_loss": "pairwise",
    "ppm.min_steps": 0,
    "ppm.trust": "always",
    "search.path_value": "last",
    "policy.skip_heldout": "off",
}


def settings_of_started_run(stored: Mapping[str, Any]) -> tuple[Layer, list[str]]:
    """The settings of a run from its stored recipe, and the names of those that no longer exist."""
    known, removed = known_settings(stored)
    return merged(unflattened(BEFORE_THEY_EXISTED), known), removed


def layer_below(stored: Mapping[str, Any]) -> Layer:
    """What a recipe for a started run rests on in place of the defaults."""
    settings, _ = settings_of_started_run(stored)
    return {name: value for name, value in settings.items() if name not in FREE_SECTIONS}
