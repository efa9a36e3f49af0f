"""The parameters of each endpoint, validated before anything else uses them.

Unknown names, wrong types and numbers out of range are refused with a line that names them.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Meta

from rstar_async.errors import RstarError
from rstar_async.sanitize import one_line, shown
from rstar_async.view.differences import DifferenceKind
from storage.queries.answer_pages import AnswerOutcome
from storage.queries.dashboard import Direction, ProblemOrder, ProblemState
from storage.records import PairKind, Purpose, Split

Id: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200)]
Path: TypeAlias = Annotated[str, Meta(max_length=400, pattern=r"^0(\.[0-9]{1,6})*$")]
After: TypeAlias = Annotated[str, Meta(max_length=400, pattern=r"^(0(\.[0-9]{1,6})*)?$")]
Words: TypeAlias = Annotated[str, Meta(max_length=200)]
Number: TypeAlias = Annotated[int, Meta(ge=0, le=1_000_000)]
Offset: TypeAlias = Annotated[int, Meta(ge=0, le=10_000_000)]
Some: TypeAlias = Annotated[int, Meta(ge=1, le=100)]
Many: TypeAlias = Annotated[int, Meta(ge=1, le=5000)]
Moment: TypeAlias = Annotated[float, Meta(ge=0, le=1e11)]
SolutionOrder: TypeAlias = Literal["best", "worst"]

REASON = 200

A = TypeVar("A", bound=msgspec.Struct)


class PageRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all requests, and the request of endpoints without parameters."""


class RunRequest(PageRequest, frozen=True):
    run: Id


class RoundRequest(RunRequest, frozen=True):
    round: Number


class ProblemsRequest(RunRequest, frozen=True):
    round: Number | None = None
    purpose: Purpose = "train"
    kind: Words | None = None
    level: Words | None = None
    state: ProblemState | None = None
    text: Words | None = None
    order: ProblemOrder = "problem"
    direction: Direction | None = None
    offset: Offset = 0
    limit: Some = 50


class SolutionsRequest(RoundRequest, frozen=True):
    correct: bool = True
    order: SolutionOrder = "best"
    offset: Offset = 0
    limit: Some = 10


class PairsRequest(RoundRequest, frozen=True):
    kind: PairKind | None = None
    split: Split | None = None
    search: Id | None = None
    offset: Offset = 0
    limit: Some = 20


class MistakesRequest(RoundRequest, frozen=True):
    kind: DifferenceKind | None = None
    offset: Offset = 0
    limit: Some = 20


class AnswersRequest(RunRequest, frozen=True):
    """The answers behind an evaluation."""

    evaluation: Id
    outcome: AnswerOutcome | None = None
    offset: Offset = 0
    limit: Some = 20


class TimelineRequest(RunRequest, frozen=True):
    """From `begin` to `end`, the whole run if they are left out."""

    begin: Moment | None = None
    end: Moment | None = None
    slices: Annotated[int, Meta(ge=10, le=400)] = 240


class SearchRequest(PageRequest, frozen=True):
    search: Id


class TreeRequest(SearchRequest, frozen=True):
    since: Annotated[int, Meta(ge=-1, le=1_000_000_000)] = -1
    after: After = ""
    limit: Many = 1000


class FindRequest(SearchRequest, frozen=True):
    text: Annotated[str, Meta(min_length=1, max_length=200)]


class NodeRequest(SearchRequest, frozen=True):
    path: Path


class ChildrenRequest(NodeRequest, frozen=True):
    """The children of `path`."""

    offset: Offset = 0
    limit: Some = 24


class BadParameters(RstarError):
    """A parameter in the address is wrong; `str()` names it."""


def read(kind: type[A], path: Mapping[str, str], query: list[tuple[str, str]]) -> A:
    """The request of an address. An empty value means the default."""
    given = dict(path)
    for name, value in query:
        if name in given:
            raise BadParameters(f"{shown(name)} is given twice")
        if value:
            given[name] = value
    if with_nul := next((name for name, value in given.items() if "\0" in name + value), None):
        raise BadParameters(f"{shown(with_nul)} holds a NUL")
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise BadParameters(_ending(str(error))) from None


def _ending(reason: str) -> str:
    """The end, which names the parameter; what is quoted before it may be long."""
    return one_line(reason if len(reason) <= REASON else f"…{reason[-REASON:]}")
