"""The held-out pairs that a round's PPM gets most wrong, grouped by where their steps differ.

Which pairs these are is in the PPM's manifest (at most a hundred); their texts are read here.
"""

from collections import Counter
from typing import Any

import msgspec

from rstar_async.search.paths import parent_of
from rstar_async.view import responses
from rstar_async.view.differences import DifferenceKind, difference
from rstar_async.view.ranking import pair_view
from rstar_async.view.requests import MistakesRequest
from storage import queries
from storage.database import Database
from storage.records import ModelVersion, Pair, PairKind

MOST = 100


class WorstPair(msgspec.Struct, frozen=True):
    """An entry of the manifest: where a pair is, and the raw scores of its steps."""

    search: str
    chosen: str
    rejected: str
    chosen_score: float
    rejected_score: float


def mistakes(database: Database, request: MistakesRequest) -> responses.MistakePage | None:
    """A page of the pairs, the largest group first; None if the round has no PPM with any."""
    ppm = _ppm_of(database, request)
    if ppm is None:
        return None
    found = [
        mistake
        for entry in ppm.manifest[responses.WORST_PAIRS][:MOST]
        if (mistake := _mistake(database, request, entry)) is not None
    ]
    counts = Counter(mistake.kind for mistake in found)
    rank: dict[DifferenceKind, int] = {
        kind: place for place, (kind, _) in enumerate(counts.most_common())
    }
    chosen = [each for each in found if request.kind in (None, each.kind)]
    chosen.sort(key=lambda each: rank[each.kind])
    return responses.MistakePage(
        ppm.id,
        ppm.metrics,
        counts.most_common(),
        len(chosen),
        chosen[request.offset : request.offset + request.limit],
    )


def _ppm_of(database: Database, request: MistakesRequest) -> ModelVersion | None:
    versions = database.read_once(queries.model_versions_of, request.run)
    of_round = [
        version
        for version in versions
        if (version.kind, version.round) == ("ppm", request.round)
        and isinstance(version.manifest.get(responses.WORST_PAIRS), list)
    ]
    return of_round[-1] if of_round else None


def _mistake(database: Database, request: MistakesRequest, entry: Any) -> responses.Mistake | None:
    """The pair of an entry; None if it does not name two nodes of the store."""
    try:
        place = msgspec.convert(entry, WorstPair)
    except (msgspec.ValidationError, UnicodeError):
        return None
    siblings = parent_of(place.chosen) == parent_of(place.rejected)
    kind: PairKind = "step" if siblings else "trajectory"
    pair = Pair(
        *(request.run, request.round, place.search, place.chosen, place.rejected),
        kind=kind,
        split="heldout",
    )
    view = pair_view(database, pair)
    if not view.chosen or not view.rejected:
        return None
    differs = difference(_text(view.chosen), _text(view.rejected))
    return responses.Mistake(
        view,
        differs.kind,
        (differs.chosen, differs.rejected),
        (place.chosen_score, place.rejected_score),
    )


def _text(steps: list[responses.JsonObject]) -> str:
    return "\n".join(step["text"] for step in steps)
