import json

import pytest

from rstar_async.config import BootstrapConfig, Recipe
from rstar_async.data.program_steps import steps_of_program
from rstar_async.data.solved_examples import solved_examples
from rstar_async.demo.problems import word_problems
from rstar_async.errors import BadInput
from rstar_async.text.steps import StepKind, parse_step

PROGRAM = """\
import math
# Three bags of four
coins = 3 * 4

# Two are lost
text = '''
# no comment
'''
coins -= 2
print(coins)"""


def examples(tmp_path, *rows: dict, count: int = 160):
    file = tmp_path / "examples.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    bootstrap = BootstrapConfig(kind="demonstrations", source=str(file), demonstrations=count)
    return solved_examples(Recipe(bootstrap=bootstrap))


def test_a_program_is_cut_at_its_comments():
    assert steps_of_program(PROGRAM, "here") == [
        "import math",
        "# Three bags of four\ncoins = 3 * 4",
        "# Two are lost\ntext = '''\n# no comment\n'''\ncoins -= 2",
        "# Now print the final answer\nprint(coins)",
    ]


def test_a_program_becomes_a_trajectory_that_search_would_read(tmp_path):
    (example,) = examples(
        tmp_path, {"question": "How many?", "solution": PROGRAM, "answer": "so #### 10"}
    )
    program, _, rest = example.solution.partition("<end_of_code>")
    pieces = program.split("<end_of_step>")
    kinds = [parse_step(f"{piece}<end_of_step>", after_output=False).kind for piece in pieces[:-1]]
    assert kinds == [StepKind.STEP] * 3
    last = parse_step(f"{pieces[-1]}<end_of_code>", after_output=False)
    assert last.kind is StepKind.END_OF_CODE
    observation, _, answer = rest.partition("<end_of_output>")
    assert observation.strip() == "<output>10"
    assert parse_step(answer, after_output=True).kind is StepKind.ANSWER
    assert "\\boxed{10}" in answer


def test_solutions_in_the_format_are_taken_as_they_are(tmp_path):
    (problem,) = word_problems(1, [2], 1, "demonstration")
    rows = [{"question": "a?", "solution": problem.solution}]
    rows.append({"query": "b?", "response": problem.solution})
    assert examples(tmp_path, *rows) == [("a?", problem.solution), ("b?", problem.solution)]


def test_only_the_first_ones_are_learnt_from(tmp_path):
    rows = [{"question": f"{n}?", "solution": f"print({n})", "answer": str(n)} for n in range(5)]
    assert [e.question for e in examples(tmp_path, *rows, count=2)] == ["0?", "1?"]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"question": "?", "solution": "x = = 1", "answer": "1"}, "is no Python program"),
        ({"question": "?", "solution": "x = 1", "answer": "1"}, "must end with a statement print"),
        ({"question": "?", "answer": "1"}, "needs a column 'solution'; it has 'question'"),
        ({"question": "?", "solution": "print(1)"}, "no column 'answer'"),
        ({"question": "?", "solution": "<code>\nprint(1)\n"}, "lacks <end_of_code>"),
    ],
)
def test_a_row_that_teaches_nothing_is_named(tmp_path, row, says):
    with pytest.raises(BadInput, match=r"examples\.jsonl:1") as refused:
        examples(tmp_path, row)
    assert says in str(refused.value)


def test_a_file_without_examples_is_refused(tmp_path):
    with pytest.raises(BadInput, match="has no examples"):
        examples(tmp_path)


def test_an_equation_stands_in_for_a_solution(tmp_path):
    row = {"question": "He has 3 bags of 8. How many?", "equation": "3 * 8", "answer": "24"}
    (example,) = examples(tmp_path, row)
    assert example.solution.startswith("<code>\n# How many?\nprint(3 * 8)\n<end_of_code>")
    assert example.solution.endswith("\\boxed{24}.<end_of_answer>")


def test_a_solution_comes_before_an_equation(tmp_path):
    row = {"question": "a?", "solution": PROGRAM, "equation": "1 + 1", "answer": "10"}
    (example,) = examples(tmp_path, row)
    assert "coins" in example.solution
