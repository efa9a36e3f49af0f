"""The worked example of docs/domains.md, in a real sandbox."""

import trio

from benchmarks.judging import open_executor
from examples.sql_domain import SqlDomain
from rstar_async.config import ProblemsConfig
from rstar_async.domains.base import PathStep
from storage.records import Problem

ROW = {
    "question": "Tables: pets(name, age). Who is older than 3?",
    "schema": "CREATE TABLE pets(name, age); INSERT INTO pets VALUES ('Rex', 5), ('Tom', 2)",
    "query": "SELECT name FROM pets WHERE age > 3",
}
SAME = "SELECT name FROM pets WHERE NOT age <= 3"
OTHER = "SELECT name FROM pets"


def path_to(domain, query):
    texts = ["<code>\n-- Look at the ages\n<end_of_step>", f"{query}\n<end_of_code>"]
    return [PathStep(text, domain.parse_step(text, after_output=False)) for text in texts]


def test_queries_are_judged_and_grouped_by_their_results():
    domain = SqlDomain()
    question, answer = domain.read_problem(ROW, ProblemsConfig(), "row 1")
    problem = Problem("id", "run", question, answer)

    async def judged():
        async with open_executor() as executor:
            queries = (SAME, OTHER, "SELEKT")
            found = [await domain.verify(problem, path_to(domain, q), executor) for q in queries]
            return found, await domain.group(problem, [ROW["query"], SAME, OTHER], executor)

    found, groups = trio.run(judged)
    assert [one.verdict for one in found] == ["right", "wrong", "wrong"]
    assert found[0].answer == f"-- Look at the ages\n{SAME}"
    assert groups == {ROW["query"]: ROW["query"], SAME: ROW["query"], OTHER: OTHER}
