"""One question, a few trees at once, one answer."""

import time
from collections import Counter
from collections.abc import Sequence

import msgspec

from rstar_async.evaluation.aggregation import answers_in
from rstar_async.evaluation.attempts import Attempts, tokens_of
from rstar_async.evaluation.doubts import doubts
from rstar_async.evaluation.selection import Proposal, answer_of_tree, by_vote
from rstar_async.evaluation.strategies import TREE
from rstar_async.evaluation.unmeasured import Unmeasured, failure_in
from rstar_async.search.runner import SearchRunner
from storage import queries
from storage.records import Problem
from storage.store import Store


class Vote(msgspec.Struct, frozen=True):
    """An answer, how many trajectories gave it, and the highest PPM value among them."""

    answer: str
    trajectories: int
    best_score: float | None


class Solved(msgspec.Struct, frozen=True):
    """The answer to one question with the solution it came from; "" and no votes if none came.

    `failed` of the trees could not be grown, for the reason `failure`; they are none of the
    `trajectories`.
    `doubts` are reasons not to trust it, in words. `passes`: whether the answer passes the tests
    that came with the question, None without.
    """

    question: str
    answer: str
    score: float | None
    text: str
    search_id: str
    path: str
    votes: list[Vote]
    trajectories: int
    tokens: int
    seconds: float
    doubts: list[str] = []
    ppm_note: str = ""
    failed: int = 0
    failure: str = ""
    passes: bool | None = None


async def solve(
    attempts: Attempts, problem: Problem, trees: int, runner: SearchRunner, store: Store
) -> Solved:
    """Search `trees` trees at once; finished ones are taken from the store.

    Each answers by the rule `evaluation.answer`, and so do all of them together. Raises
    `Unmeasured` if none could be grown.
    """
    started = time.monotonic()
    tried = await attempts.make(TREE, problem, range(1, trees + 1))
    made = [attempt for attempt in tried if attempt.search.status == "finished"]
    failure = failure_in(tried)
    if not made and failure:
        raise Unmeasured(f"no tree could be grown: {failure}")
    rule = attempts.settings.evaluation.answer
    groups = await runner.group_answers(problem, answers_in(made))
    given = [one.proposal for one in TREE.trajectories(made, groups, rule)]
    found = [proposal for proposal in given if proposal is not None]
    best = answer_of_tree(found, rule)
    search = made[given.index(best)].search.id if best else ""
    answer, counted = best.answer if best else "", votes(found, best)
    by_answer = {vote.answer: vote.trajectories for vote in counted}
    endings = await store.read(_endings, [one.search.id for one in made])
    return Solved(
        question=problem.question,
        answer=answer,
        score=best.score if best else None,
        text=await _solution(store, search, best.path) if best else "",
        search_id=search,
        path=best.path if best else "",
        votes=counted,
        trajectories=len(made),
        tokens=tokens_of(made),
        seconds=time.monotonic() - started,
        doubts=doubts(answer, by_answer, len(made), endings),
        ppm_note=attempts.settings.ppm_note,
        failed=len(tried) - len(made),
        failure=failure,
        passes=best.is_correct if best and problem.answer else None,
    )


def _endings(connection: queries.Connection, searches: Sequence[str]) -> Counter[str]:
    """The steps of these trees by how they ended, each as often as it was sampled."""
    found: Counter[str] = Counter()
    for search in searches:
        for node in queries.tree_page(connection, search):
            if node.path != "0":
                found[node.status] += node.multiplicity
    return found


async def _solution(store: Store, search_id: str, path: str) -> str:
    steps = await store.read(queries.steps_to, search_id, path)
    return "".join(step.text + step.observation for step in steps)


def votes(found: Sequence[Proposal], best: Proposal | None) -> list[Vote]:
    """How often each answer was given, most often first. Answers that are one vote go by the
    `best` of all if it is among them, else by the first. Pure."""
    counted = [
        Vote(
            (best if best in members else members[0]).answer,
            len(members),
            max(_scores(members), default=None),
        )
        for members in by_vote(found).values()
    ]
    return sorted(counted, key=lambda vote: -vote.trajectories)


def _scores(found: Sequence[Proposal]) -> list[float]:
    return [proposal.score for proposal in found if proposal.score is not None]
