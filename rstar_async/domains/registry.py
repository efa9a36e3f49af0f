"""Domains by name: those of this package, and those that other packages declare.

A package adds a domain by an entry point of the group `rstar_async.domains`, such as
`chess = "my_package.chess:ChessDomain"` in its pyproject.toml; `problems.domain = "chess"` uses it.
"""

from importlib.metadata import EntryPoint, entry_points
from typing import cast

from rstar_async.config import Recipe
from rstar_async.domains.base import Domain
from rstar_async.errors import BadInput

GROUP = "rstar_async.domains"
BUILT_IN = {
    "math": "rstar_async.domains.math:MathDomain",
    "programming": "rstar_async.domains.programming:ProgrammingDomain",
}
_OWN = {name: EntryPoint(name, value, GROUP) for name, value in BUILT_IN.items()}


def domain_of(recipe: Recipe) -> Domain:
    """The domain that `problems.domain` names; `BadInput` if there is none or it fails to load."""
    return domain_class(recipe.problems.domain).of(recipe)


def domain_class(name: str) -> type[Domain]:
    """Import a domain; the names of this package cannot be taken by others."""
    entry = _OWN.get(name) or _others().get(name)
    if entry is None:
        known = ", ".join({**_OWN, **_others()})
        raise BadInput(f"problems.domain: there is no domain {name!r}; known: {known}")
    try:
        return cast("type[Domain]", entry.load())
    except (ImportError, AttributeError) as error:
        raise BadInput(
            f"problems.domain: {name!r} cannot be imported from {entry.value}: {error}"
        ) from error


def _others() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}
