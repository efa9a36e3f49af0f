"""Small language models teach themselves mathematics by search over executed steps (rStar-Math).

For notebooks and scripts:

    result = rstar_async.search_one("What is 3 + 4 * 5?", "demo", rollouts=8)
    result.answer, result.text, result.tree, result.statistics

`search_one` takes a `verifier` and a `reward` of your own; `open_session` keeps a model ready for
many questions. Names are imported when they are first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rstar_async.api.functions import Reward, Solution, Verifier
    from rstar_async.api.result import SearchResult, SearchStatistics
    from rstar_async.api.search_one import search_one, search_one_async
    from rstar_async.api.session import Session, open_session
    from rstar_async.domains.base import Domain, PathStep, Verification
    from rstar_async.errors import BadInput, RstarError

__all__ = [
    "BadInput",
    "Domain",
    "PathStep",
    "Reward",
    "RstarError",
    "SearchResult",
    "SearchStatistics",
    "Session",
    "Solution",
    "Verification",
    "Verifier",
    "open_session",
    "search_one",
    "search_one_async",
]

_MODULES = {
    "rstar_async.api.functions": ("Reward", "Solution", "Verifier"),
    "rstar_async.api.result": ("SearchResult", "SearchStatistics"),
    "rstar_async.api.search_one": ("search_one", "search_one_async"),
    "rstar_async.api.session": ("Session", "open_session"),
    "rstar_async.domains.base": ("Domain", "PathStep", "Verification"),
    "rstar_async.errors": ("BadInput", "RstarError"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
