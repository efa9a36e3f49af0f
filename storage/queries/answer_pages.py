"""The answers behind an evaluation for the web page, with the problems they are about."""

from typing import Literal, TypeAlias

import msgspec
import sqlalchemy as sa

from storage import statements
from storage.records import EvaluationAnswer
from storage.tables import evaluation_answers, problems

# right and wrong are verdicts on an answer; unanswered: none could be read; undecided: no verdict.
AnswerOutcome: TypeAlias = Literal["right", "wrong", "unanswered", "undecided"]


class AnswerWithProblem(msgspec.Struct, frozen=True):
    """One sampled answer; `known` is the answer that its problem came with."""

    answer: EvaluationAnswer
    question: str
    known: str


def answer_page(
    connection: sa.Connection,
    evaluation_id: str,
    outcome: AnswerOutcome | None = None,
    offset: int = 0,
    limit: int = 20,
) -> tuple[int, list[AnswerWithProblem]]:
    """How many there are, and a page of them by problem and sample."""
    table = evaluation_answers.c
    where = sa.and_(table.evaluation_id == evaluation_id, _has(outcome))
    total = connection.scalar(sa.select(sa.func.count()).where(where)) or 0
    query = (
        sa.select(*statements.columns(EvaluationAnswer), problems.c.question, problems.c.answer)
        .join(problems, problems.c.id == table.problem_id)
        .where(where)
        .order_by(table.problem_id, table.sample)
        .limit(limit)
        .offset(offset)
    )
    rows = connection.execute(query)
    return total, [
        AnswerWithProblem(EvaluationAnswer(*fields), question, known)
        for *fields, question, known in rows
    ]


def _has(outcome: AnswerOutcome | None) -> sa.ColumnElement[bool]:
    answer, correct = evaluation_answers.c.answer, evaluation_answers.c.correct
    if outcome is None:
        return sa.true()
    if outcome == "right":
        return correct.is_(sa.true())
    if outcome == "unanswered":
        return sa.and_(correct.is_not(sa.true()), answer == "")
    decided = correct.is_(sa.false()) if outcome == "wrong" else correct.is_(None)
    return sa.and_(decided, answer != "")
