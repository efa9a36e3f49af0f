import pytest

from rstar_async.config import EvaluationConfig, Recipe
from rstar_async.evaluation.round_majority import samples_of_a_tree, store_majority
from rstar_async.evaluation.settings import EvaluationSettings
from rstar_async.search.models import ActiveModels
from rstar_async.text.encoding import Encoder
from storage import queries
from storage.records import Evaluation, EvaluationAnswer, Problem, Round, Run
from storage.store import open_store
from tests.search.world import POLICY, InProcess, models_in, runner_of

PROBLEMS = [Problem(id_, "run", f"{id_}?", "3", split="heldout") for id_ in ("easy", "hard")]


def evaluation(method: str, samples: int, tokens: int, round_number: int = 1) -> Evaluation:
    return Evaluation(
        id=f"{method}-{round_number}",
        run_id="run",
        round=round_number,
        method=method,
        benchmark="heldout",
        policy_id=POLICY,
        ppm_id=None,
        problems=2,
        samples=samples,
        correct=0,
        pass_at_1=0.0,
        low=0.0,
        high=1.0,
        new_tokens=tokens,
    )


def answers(problem: str, *given: str) -> list[EvaluationAnswer]:
    return [
        EvaluationAnswer("policy-1", problem, sample, answer, answer in ("3", "3.0"))
        for sample, answer in enumerate(given)
    ]


@pytest.mark.parametrize(
    ("search_tokens", "samples"), [(100, 1), (101, 2), (400, 4), (5_000, 8), (0, 1)]
)
def test_samples_have_the_tokens_of_a_tree_or_just_more(search_tokens, samples):
    policy, search = evaluation("policy", 8, 800), evaluation("search", 1, search_tokens)
    assert samples_of_a_tree(policy, search) == samples


async def majority_in(path, models, *rows) -> tuple[Evaluation | None, list[EvaluationAnswer]]:
    active = ActiveModels(POLICY, None, Encoder.load(models / POLICY, "tagged"))
    settings = EvaluationSettings.of(Recipe(evaluation=EvaluationConfig()), "run", 1, active)
    async with open_store(f"sqlite:///{path}") as store:
        await store.commit(Run("run", {}, 1, "test"), Round("run", 1, "trained", POLICY), *PROBLEMS)
        await store.commit(*rows)
        for _ in range(2):
            await store_majority(settings, runner_of(InProcess(models), store), store, PROBLEMS)
        found = await store.read(queries.evaluations_of, "run")
        [stored] = [one for one in found if one.method == "majority"] or [None]
        return stored, await store.read(queries.answers_of, stored.id) if stored else []


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return models_in(tmp_path_factory.mktemp("models"))


async def test_the_most_frequent_answer_of_the_samples_is_stored_once(tmp_path, models):
    rows = (
        evaluation("policy", 3, 600),
        evaluation("search", 1, 600),
        *answers("easy", "3", "4", "3.0"),
        *answers("hard", "4", "", "4"),
    )
    stored, given = await majority_in(tmp_path / "s.db", models, *rows)
    assert stored is not None
    assert (stored.samples, stored.pass_at_1, stored.correct) == (3, 0.5, 1)
    assert [(one.problem_id, one.correct) for one in given] == [("easy", True), ("hard", False)]


async def test_a_round_without_search_has_no_majority(tmp_path, models):
    rows = (evaluation("policy", 1, 100), evaluation("search", 1, 100, round_number=0))
    round_0 = Round("run", 0, "trained", POLICY)
    stored, _ = await majority_in(tmp_path / "s.db", models, round_0, *rows)
    assert stored is None
