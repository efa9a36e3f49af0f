"""One question, one call."""

from functools import partial
from pathlib import Path
from typing import Any

import trio

from rstar_async.api.result import SearchResult
from rstar_async.api.session import open_session
from rstar_async.errors import BadInput
from rstar_async.wire.exception_groups import first, single


def search_one(
    question: str,
    model: str | Path = "demo",
    *,
    answer: str | None = None,
    seed: int = 1,
    **options: Any,
) -> SearchResult:
    """Search one question and return the best solution with its tree.

    Starts brokers and workers, and stops them before it returns; several questions are cheaper with
    `open_session`. `answer` is the gold answer, if it is known: right and wrong answers then guide
    the search. `options` are those of `open_session`: `verifier`, `reward`, `rollouts`,
    `candidates`, `ppm`, `settings`, `brokers`, `home`.

    Raises `BadInput` if something given is wrong, `RstarError` if the search cannot be carried out.
    Call it from the main thread; under trio use `search_one_async`.

    >>> result = search_one("Tom has 3 coins. He finds 4 more. How many has he?", rollouts=4)
    >>> result.answer, result.statistics.nodes  # doctest: +SKIP
    """
    call = partial(search_one_async, question, model, answer=answer, seed=seed, **options)
    return trio.run(call)


async def search_one_async(
    question: str,
    model: str | Path = "demo",
    *,
    answer: str | None = None,
    seed: int = 1,
    **options: Any,
) -> SearchResult:
    """`search_one` for programs that run under trio."""
    try:
        async with open_session(model, **options) as session:
            return await session.search(question, answer=answer, seed=seed)
    except BaseExceptionGroup as group:
        bad_input = group.subgroup(BadInput)
        error = first(bad_input) if bad_input else single(group)
    raise error
