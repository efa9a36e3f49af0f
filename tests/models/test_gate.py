import random

from rstar_async.models.gate import compare, refusals
from storage.database import open_database
from storage.records import Evaluation, EvaluationAnswer, ModelVersion, Problem, Round, Run

PROBLEMS = [f"p{number}" for number in range(40)]


def rates(share, seed):
    chance = random.Random(seed)
    return {problem: float(chance.random() < share) for problem in PROBLEMS}


def test_a_clear_fall_is_worse_and_chance_is_not():
    assert compare(rates(0.9, 1), rates(0.3, 2)).is_worse
    assert not compare(rates(0.5, 1), rates(0.5, 2)).is_worse
    assert not compare(rates(0.3, 1), rates(0.9, 2)).is_worse


def test_the_same_problems_are_compared_so_a_small_fall_everywhere_counts():
    """A difference that would drown among problems of different difficulty."""
    before = {problem: (number % 10) / 10 + 0.05 for number, problem in enumerate(PROBLEMS)}
    after = {problem: rate - 0.05 for problem, rate in before.items()}
    assert compare(before, after).is_worse
    unlike = {f"other {problem}": rate for problem, rate in after.items()}
    assert not compare(before, unlike).is_worse


def test_a_few_problems_say_nothing():
    few = PROBLEMS[:5]
    assert not compare(dict.fromkeys(few, 1.0), dict.fromkeys(few, 0.0)).is_worse
    assert not compare({}, {}).is_worse


def model(number, kind="policy", parent=None):
    return ModelVersion(f"{kind}-{number}", "run", kind, number, parent, "somewhere", "published")


def measured(number, share):
    name = f"evaluation-{number}"
    yield Evaluation(
        name, "run", number, "policy", "heldout", f"policy-{number}", None, 40, 1, 0, share, 0, 1
    )
    for problem, rate in rates(share, number).items():
        yield EvaluationAnswer(name, problem, 0, "7", rate == 1.0)


def stored(database, first, second):
    database.commit(
        Run("run", {}, 1, "test"),
        *(Problem(name, "run", name, "7", split="heldout") for name in PROBLEMS),
        *(Round("run", number, "trained", "") for number in (0, 1)),
        *(model(0), model(1, parent="policy-0"), model(1, "ppm", "policy-1")),
        *measured(0, first),
        *measured(1, second),
    )


def test_a_worse_policy_is_refused_with_its_ppm_and_the_reason(tmp_path):
    with open_database(str(tmp_path / "rstar.db")) as database:
        stored(database, 0.9, 0.3)
        found = database.read(refusals, "run", 1)
        database.commit(*found)
        after = {v.id: v for v in (database.read(_version, n) for n in ("policy-1", "ppm-1"))}
        assert [standing.model_id for standing in found] == ["policy-1", "ppm-1"]
        assert {v.status for v in after.values()} == {"refused"}
        assert after["policy-1"].reason.startswith("pass@1 on held-out problems fell to 0.")
        # What is refused is not measured against what comes next.
        assert database.read(refusals, "run", 1) == []


def _version(connection, name):
    from storage import queries

    return queries.model_version(connection, name)


def test_a_better_policy_is_kept_and_round_0_has_nothing_before_it(tmp_path):
    with open_database(str(tmp_path / "rstar.db")) as database:
        stored(database, 0.3, 0.9)
        assert database.read(refusals, "run", 1) == []
        assert database.read(refusals, "run", 0) == []
