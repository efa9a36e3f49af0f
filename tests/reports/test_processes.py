"""Solutions with a verified answer, judged by the generated problems' own solutions."""

from rstar_async.config import Recipe, RoundConfig
from rstar_async.config.loader import as_toml_values
from rstar_async.data.problems import generated_problems, problems_of_round
from rstar_async.reports.contents import Process
from rstar_async.reports.processes import process_of_round
from storage import queries
from storage.database import open_database
from storage.records import Node, Round, Run, Search

RECIPE = Recipe(rounds=(RoundConfig(problems=3, levels=(2,)),), seed=5)


def judged(path, recipe: dict, change=lambda solution: solution) -> Process | None:
    """Every problem is solved by its own solution, the last one `change`d."""
    with open_database(f"sqlite:///{path}") as database:
        problems = problems_of_round(RECIPE, 1)
        database.commit(Run("run", recipe, 5, ""), Round("run", 1, "closed", "m"), *problems)
        solutions = [one.solution for one in generated_problems(RECIPE, 1)]
        solutions[-1] = change(solutions[-1])
        for number, (problem, solution) in enumerate(zip(problems, solutions, strict=True)):
            search = f"s{number}"
            found = Search(search, "run", 1, problem.id, "train", 1, "m", status="finished")
            root = Node(search, "0", 0, 0, "", "", (), (), "root")
            figures = {"answer": problem.answer, "correct": True, "visits": 1, "value_sum": 1.0}
            node = Node(search, "0.1", 1, 1, solution, "", (), (), "answer", **figures)
            database.commit(found, root, node)
        run = database.read(queries.run_by_id, "run")
        return process_of_round(database, run, 1)


def test_solutions_like_the_problems_own_have_a_right_process(tmp_path):
    assert judged(tmp_path / "s.db", as_toml_values(RECIPE)) == Process(3, 0, 0)


def test_one_that_computes_something_else_is_right_by_luck(tmp_path):
    def with_detour(solution: str) -> str:
        return solution.replace("<code>\n", "<code>\nn = 1\n", 1)

    assert judged(tmp_path / "s.db", as_toml_values(RECIPE), with_detour) == Process(2, 1, 0)


def test_problems_without_solutions_of_their_own_are_not_judged(tmp_path):
    assert judged(tmp_path / "s.db", {"problems": {"source": "mine.jsonl"}}) is None
    assert judged(tmp_path / "t.db", {}) is None
