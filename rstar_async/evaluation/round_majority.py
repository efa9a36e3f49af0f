"""What a round's trees are compared with: the majority of samples, for as many tokens as a tree.

It is counted from what the round's measurement stored: the policy's sampled answers, and the tokens
of both methods. Nothing is generated again.
"""

import math
import random
from collections.abc import Sequence

from rstar_async.evaluation.intervals import share_with_interval
from rstar_async.evaluation.selection import Proposal, majority
from rstar_async.evaluation.settings import EvaluationSettings
from rstar_async.search.runner import SearchRunner
from rstar_async.seeding import digest
from storage import queries
from storage.records import Evaluation, EvaluationAnswer, Problem
from storage.store import Store

METHOD = "majority"


async def store_majority(
    settings: EvaluationSettings, runner: SearchRunner, store: Store, problems: Sequence[Problem]
) -> None:
    """Store the evaluation "majority" of the round; none if the round was not searched.

    Where there are fewer samples than have the tokens of a tree, the majority of all of them.
    """
    found = await store.read(queries.evaluations_of, settings.run_id)
    of_round = {one.method: one for one in found if one.round == settings.round}
    policy, search = of_round.get("policy"), of_round.get("search")
    if policy is None or search is None or METHOD in of_round:
        return
    samples = samples_of_a_tree(policy, search)
    id_ = digest("evaluation", settings.run_id, settings.round, policy.benchmark, METHOD).hex()
    sampled = await store.read(queries.answers_of, policy.id)
    drawn = {problem.id: _draw(samples, problem.id, sampled) for problem in problems}
    answers = [await _majority(id_, problem, drawn[problem.id], runner) for problem in problems]
    share = share_with_interval([*queries.success_rates(answers).values()])
    evaluation = settings.evaluation_record(
        id_,
        METHOD,
        policy.benchmark,
        share,
        problems=len(problems),
        samples=samples,
        correct=sum(answer.correct is True for answer in answers),
        new_tokens=round(policy.new_tokens * samples / policy.samples),
        settings={"measured": len(problems)},
    )
    await store.commit(evaluation, *answers)


def samples_of_a_tree(policy: Evaluation, search: Evaluation) -> int:
    """How many samples have the tokens of one tree or just more, of those that were drawn. Pure."""
    if not policy.new_tokens:
        return policy.samples
    needed = math.ceil(search.new_tokens * policy.samples / policy.new_tokens - 1e-9)
    return min(policy.samples, max(1, needed))


def _draw(
    samples: int, problem_id: str, sampled: Sequence[EvaluationAnswer]
) -> list[EvaluationAnswer]:
    """Some answers to one problem by lot: stored ones begin with the short solutions. Pure."""
    own = [answer for answer in sampled if answer.problem_id == problem_id]
    return random.Random(problem_id).sample(own, min(samples, len(own)))


async def _majority(
    id_: str, problem: Problem, sampled: Sequence[EvaluationAnswer], runner: SearchRunner
) -> EvaluationAnswer:
    given = [answer for answer in sampled if answer.answer]
    groups = await runner.group_answers(problem, [answer.answer for answer in given])
    votes = [Proposal(a.answer, a.correct, group=groups.get(a.answer, "")) for a in given]
    chosen = majority(votes)
    return EvaluationAnswer(
        evaluation_id=id_,
        problem_id=problem.id,
        sample=0,
        answer=chosen.answer if chosen else "",
        correct=chosen is not None and chosen.is_correct is True,
    )
