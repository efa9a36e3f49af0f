import re
from random import Random

import pytest

from rstar_async.demo.problems import Split
from rstar_async.demo.programs.tasks import ProgramTask, program_tasks
from rstar_async.demo.programs.wording import NEW_WORDS, OPERATIONS, garbled_wording
from rstar_async.text import tags

LEVELS = (1, 2, 3, 4, 5, 6)
SPLITS: tuple[Split, ...] = ("demonstration", "train", "heldout")


def steps_of(task: ProgramTask) -> list[str]:
    """The sources of the gold solution's steps."""
    code = task.solution.removeprefix(tags.CODE).removesuffix(tags.END_OF_CODE)
    return [piece.strip("\n") for piece in code.split(tags.END_OF_STEP)]


def code_of(task: ProgramTask) -> str:
    """What the gold solution does, without the places of its sentences and without its example."""
    lines = "\n".join(steps_of(task)).splitlines()
    kept = [line for line in lines if not line.startswith(("#", "example", "print"))]
    names: dict[str, str] = {}
    return re.sub(
        r"\bf\d\b", lambda name: names.setdefault(name[0], f"g{len(names)}"), "\n".join(kept)
    )


def test_gold_solutions_pass_their_tests() -> None:
    for task in program_tasks(120, LEVELS, 5, "train"):
        names: dict[str, object] = {}
        exec("\n".join(steps_of(task)).replace("print(", "("), names)  # our own
        for case in (task.example, *task.tests):
            exec(case.test, names)


def test_every_level_and_kind_is_drawn() -> None:
    tasks = program_tasks(120, LEVELS, 5, "heldout")
    assert {task.kind for task in tasks} == {"numbers", "words", "text"}
    assert [task.level for task in tasks] == list(LEVELS) * 20


def test_a_level_is_the_number_of_operations() -> None:
    for task in program_tasks(60, LEVELS, 9, "train"):
        assert sum("def f" in step for step in steps_of(task)) == task.level + 1


def test_leaving_an_operation_out_fails_a_test() -> None:
    for task in program_tasks(60, (1, 2, 3), 9, "train"):
        steps = steps_of(task)
        last = max(n for n, step in enumerate(steps[:-1]) if "def f" in step)
        names: dict[str, object] = {}
        before = re.findall(r"def (f\d)", "\n".join(steps[:last]))[-1]
        broken = [*steps[:last], f"def solve(v): return {before}(v)"]
        exec("\n".join(broken), names)
        with pytest.raises(AssertionError):
            exec("\n".join(case.test for case in task.tests), names)


def test_the_description_shows_one_example_and_no_hidden_test() -> None:
    for task in program_tasks(60, LEVELS, 9, "train"):
        assert task.question.endswith(f"\n{task.example.test}")
        assert not any(case.test in task.question for case in task.tests)


def test_demonstrations_never_compute_with_a_new_word() -> None:
    for task in program_tasks(120, (1, 2), 9, "demonstration"):
        for step in steps_of(task):
            comment, _, code = step.partition("\n")
            assert not (code and set(re.findall("[A-Za-z]+", comment)) & set(NEW_WORDS))


def test_garbled_words_stand_for_anything() -> None:
    """Whatever a sentence means, every new word may be in it; so none gives a meaning away."""
    random = Random(1)
    wordings = ("Multiply each number by 3.", "Scale each number by 3.")
    said = {garbled_wording(wordings, random) for _ in range(2000)}
    capital = [word for word in NEW_WORDS if word.istitle()]
    assert said == {wordings[0], *(f"{word} each number by 3." for word in capital)}


def test_no_wording_has_two_meanings() -> None:
    wordings = [wording for operation in OPERATIONS for wording in operation.wordings]
    assert len(wordings) == len(set(wordings))


def test_steps_quote_the_description() -> None:
    for task in program_tasks(60, LEVELS, 9, "train"):
        comments = [step.splitlines()[0][2:] for step in steps_of(task)]
        assert " ".join(comments) == task.question.splitlines()[0]


@pytest.mark.parametrize("split", SPLITS)
def test_equal_arguments_give_equal_tasks(split: Split) -> None:
    assert program_tasks(30, LEVELS, 1, split) == program_tasks(30, LEVELS, 1, split)
    assert program_tasks(30, LEVELS, 1, split) != program_tasks(30, LEVELS, 2, split)


def test_more_tasks_begin_with_the_fewer() -> None:
    assert program_tasks(40, LEVELS, 1, "train")[:20] == program_tasks(20, LEVELS, 1, "train")


def test_splits_share_no_program_whatever_the_seeds() -> None:
    seen: set[str] = set()
    for seed, split in enumerate(SPLITS):
        found = {task.kind + code_of(task) for task in program_tasks(150, (1, 2), seed, split)}
        assert not seen & found
        seen |= found
