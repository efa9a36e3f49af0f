"""A domain of its own kind: questions to a database, answered by a query, judged by its result.

A row of the problem file has `question`, `schema` (SQL that makes and fills the tables) and `query`
(one that is right). docs/domains.md explains each method and how a package declares the class.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rstar_async.domains.base import Domain, Executor, PathStep, Verification
from rstar_async.domains.columns import required_column
from rstar_async.text.prompts import Prompts
from rstar_async.text.steps import Step, StepKind, parse_step
from storage.records import Problem

RUN = """
import json, sqlite3
database = sqlite3.connect(":memory:")
database.executescript({schema!r})
rows = database.execute({query!r}).fetchmany(1000)
print(json.dumps(sorted(rows, key=repr)))
"""


class SqlDomain(Domain):
    """Each step is a comment or a part of the query; the end of the code is the end of the path."""

    prompts = Prompts(
        few_shot_prefix="Write one SQLite query.\n\nQuestion: pets(name, age). Who is oldest?\n"
        "<code>\n-- Sort by age and keep the first\n<end_of_step>\n"
        "SELECT name FROM pets ORDER BY age DESC LIMIT 1\n<end_of_code>\n\nQuestion: "
    )

    @classmethod
    def read_problem(cls, row: Mapping[str, Any], columns: Any, where: str) -> tuple[str, str]:
        names = ("schema", "query")
        answer = {name: required_column(row, name, where) for name in names}
        return required_column(row, columns.question, where), json.dumps(answer)

    def parse_step(self, text: str, *, after_output: bool) -> Step:
        """SQL is no Python: no step has code for the search to execute."""
        kind = parse_step(text, after_output=after_output).kind
        ends = {StepKind.END_OF_CODE: StepKind.ANSWER, StepKind.ANSWER: StepKind.MALFORMED}
        return Step(ends.get(kind, kind))

    async def verify(
        self, problem: Problem, path: Sequence[PathStep], executor: Executor
    ) -> Verification:
        codes = (parse_step(step.text, after_output=False).code for step in path)
        query = "\n".join(filter(None, codes))
        known = json.loads(problem.answer)
        wanted = await _rows(known["schema"], known["query"], executor)
        found = await _rows(known["schema"], query, executor)
        if wanted is None:
            return Verification(query, "undecided", "the query that should be right fails")
        return Verification(query, "right" if found == wanted else "wrong", found or "it fails")

    async def group(
        self, problem: Problem, answers: Iterable[str], executor: Executor
    ) -> dict[str, str]:
        """Queries with equal results are one vote; the tables are known, the right query is not."""
        schema, firsts = json.loads(problem.answer)["schema"], dict[str, str]()
        found = {answer: await _rows(schema, answer, executor) for answer in answers}
        return {a: firsts.setdefault(rows, a) if rows else a for a, rows in found.items()}


async def _rows(schema: str, query: str, executor: Executor) -> str | None:
    """The result of a query as text; None if it cannot be run."""
    ran = await executor.run([RUN.format(schema=schema, query=query)])
    return ran.stdout if ran.status == "ok" else None
