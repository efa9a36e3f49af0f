from rstar_async.config import ProblemsConfig
from rstar_async.data.heldout import set_aside
from rstar_async.data.problems import read_problems
from storage.records import Problem


def problems(count: int, run: str = "r") -> list[Problem]:
    return [Problem(f"{run}{n}", run, f"What is {n} + 1?", str(n + 1)) for n in range(count)]


def test_a_fifth_is_set_aside_and_nothing_is_in_both():
    train, heldout = set_aside(problems(50))
    assert (len(train), len(heldout)) == (40, 10)
    assert not {p.id for p in train} & {p.id for p in heldout}
    assert {p.split for p in heldout} == {"heldout"}


def test_of_many_a_hundred_and_of_few_none():
    assert len(set_aside(problems(3000))[1]) == 100
    assert set_aside(problems(4))[1] == []


def test_every_run_and_every_order_sets_the_same_questions_aside():
    def questions(given: list[Problem]) -> set[str]:
        return {p.question for p in set_aside(given)[1]}

    assert questions(problems(50)) == questions(problems(50, run="other")[::-1])


def test_files_have_a_heldout_part_unless_the_recipe_says_otherwise(tmp_path):
    file = tmp_path / "p.jsonl"
    file.write_text(
        "".join(f'{{"question": "{n} + 1?", "answer": "{n + 1}"}}\n' for n in range(10))
    )
    assert [len(part) for part in read_problems("r", ProblemsConfig(source=str(file)))] == [8, 2]
    none = ProblemsConfig(source=str(file), heldout=0)
    assert [len(part) for part in read_problems("r", none)] == [10, 0]
