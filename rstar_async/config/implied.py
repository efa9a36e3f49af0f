"""Settings that follow from others which are given, unless they are given themselves. Pure."""

from collections.abc import Mapping
from typing import Any

from rstar_async.config.layers import Layer

DEMOS = ("demo", "demo-programs")


def implied_by(given: Mapping[str, Any]) -> Layer:
    """How round 1 gets a policy that knows the format: solved examples are there to be learnt
    from, and the demo's model knows it already."""
    if _value(given, "bootstrap", "source"):
        return {"bootstrap": {"kind": "demonstrations"}}
    if _value(given, "model", "base") in (None, *DEMOS):
        return {"bootstrap": {"kind": "checkpoint"}}
    return {}


def _value(given: Mapping[str, Any], section: str, key: str) -> Any:
    """None if it is not given; a section of the wrong type is refused elsewhere."""
    settings = given.get(section)
    return settings.get(key) if isinstance(settings, Mapping) else None
