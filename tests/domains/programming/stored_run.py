"""A searched round of programming problems: the scripted engine's programs, judged in a sandbox."""

import json
from pathlib import Path
from typing import Any

from rstar_async.config import Recipe
from rstar_async.coordinator.round_search import RoundSearch
from rstar_async.data.preferences import preferences
from rstar_async.domains.programming.problem import ProblemTests
from rstar_async.domains.registry import domain_of
from rstar_async.search.models import ActiveModels
from rstar_async.search.persistence import tree_from_nodes
from rstar_async.search.pools import Pools
from rstar_async.search.runner import SearchPlan, SearchRunner
from rstar_async.search.tree import Selection
from rstar_async.wire.payloads import Execute
from storage import queries
from storage.records import Pair, Problem, Round, problem_id
from storage.store import Store, open_store
from tests.evaluation.scripted_run import POLICY, make_run
from tests.search.world import InProcess
from workers.executor import Executor
from workers.sandbox import Options, open_sandbox

ADD, LACKING = "add", "lacking"
QUESTION = "Write a function that adds up all its arguments.\nThe function is `{}`."
RIGHT = ("assert {}(1, 2) == 3", "assert {}(1, 2, 3) == 6", "assert {}(5) == 5")
# What this one imports is in no sandbox, so it can say nothing of a program.
BROKEN = "import not_in_the_sandbox\nassert {}(1, 1) == 2"


class InSandbox(InProcess):
    """The scripted models of this process, and its sandbox."""

    def __init__(self, models: Path, executor: Executor) -> None:
        super().__init__(models)
        self._executor = executor

    async def request(self, payload: Any, reply: type, **options: object) -> Any:
        if isinstance(payload, Execute):
            return await self._executor.execute(payload)
        return await super().request(payload, reply, **options)


def problems_of(recipe: Recipe) -> list[Problem]:
    """One whose tests decide, and one with a test that cannot."""
    found = []
    for name, tests in ((ADD, RIGHT), (LACKING, (*RIGHT, BROKEN))):
        question = QUESTION.format(name)
        answer = ProblemTests(name, tuple(test.format(name) for test in tests)).stored()
        id_ = problem_id(recipe.name, question)
        found.append(Problem(id_, recipe.name, question, answer, kind="sums", level="1"))
    return found


async def make_searched_run(home: Path) -> Recipe:
    """A home whose round 2 is searched, with the pairs of its trees."""
    recipe = make_run(home, domain="programming")
    problems = problems_of(recipe)
    round_ = Round(recipe.name, 2, "searching", POLICY)
    domain = domain_of(recipe)
    models = ActiveModels.load(recipe.models_folder, POLICY, None, domain.prompts)
    plan = SearchPlan(models, recipe.search, recipe.execution, "truth")
    async with (
        open_store(recipe.database_url) as store,
        domain,
        open_sandbox(Options(slots=2)) as sandbox,
    ):
        await store.commit(round_)
        pools = InSandbox(recipe.models_folder, Executor(sandbox))
        runner = SearchRunner(Pools(pools, pools, pools), store, domain)  # type: ignore[arg-type]
        await RoundSearch(round_, (1,), plan, store, runner).run(problems)
        await _pick_pairs(store, recipe, domain.parse_step)
    return recipe


async def _pick_pairs(store: Store, recipe: Recipe, parse: Any) -> None:
    for search in await store.read(queries.searches_of, recipe.name, 2, "train"):
        nodes = await store.read(queries.nodes_of, search.id)
        tree = tree_from_nodes(nodes, Selection(), parse)
        await store.commit(
            *(
                Pair(recipe.name, 2, search.id, one.chosen, one.rejected, one.kind, one.weight)
                for one in preferences(tree)
            )
        )


def write_tasks(file: Path) -> Path:
    """The problems as a user would write them down."""
    rows = [
        {
            "question": QUESTION.format(name),
            "entry_point": name,
            "answer": [test.format(name) for test in RIGHT],
        }
        for name in ("plus", "total")
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file
