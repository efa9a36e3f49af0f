import pytest

from rstar_async.config import ProblemsConfig, Recipe, RoundConfig
from rstar_async.data.problems import check_problems, problems_of_round, read_problems
from rstar_async.errors import BadInput


def read(tmp_path, text: str, name: str = "p.jsonl", **settings: object):
    path = tmp_path / name
    path.write_text(text)
    return read_problems("run", ProblemsConfig(source=str(path), **settings))


GOOD = '{"question": "1+1?", "answer": "2"}\n{"question": "2+2?", "answer": "so\\n#### 4"}\n'


def test_rounds_can_search_different_problems(tmp_path):
    path = tmp_path / "p.jsonl"
    path.write_text("".join(f'{{"question": "{n}+1?", "answer": "{n + 1}"}}\n' for n in range(7)))
    rounds = (RoundConfig(problems=3), RoundConfig(problems=3, skip=3), RoundConfig(skip=6))
    source = ProblemsConfig(source=str(path), heldout=0)
    recipe = Recipe(problems=source, rounds=rounds)
    check_problems(recipe)
    asked = [[p.answer for p in problems_of_round(recipe, number)] for number in (1, 2, 3)]
    assert asked == [["1", "2", "3"], ["4", "5", "6"], ["7"]]
    with pytest.raises(BadInput, match=r"round 2 skips 7 problems, and .*p\.jsonl has 7"):
        check_problems(Recipe(problems=source, rounds=(RoundConfig(), RoundConfig(skip=7))))


def test_answers_behind_the_gsm8k_mark_are_cut_out(tmp_path):
    train, heldout = read(tmp_path, GOOD)
    assert [p.answer for p in train] == ["2", "4"]
    assert heldout == []


def test_the_last_rows_are_held_out(tmp_path):
    train, heldout = read(tmp_path, GOOD, heldout=1)
    assert [p.question for p in train] == ["1+1?"]
    assert [(p.question, p.split) for p in heldout] == [("2+2?", "heldout")]


def test_columns_can_be_mapped(tmp_path):
    train, _ = read(tmp_path, '{"Body": "x", "Answer": 3.0}', question="Body", answer="Answer")
    assert (train[0].question, train[0].answer) == ("x", "3.0")


def test_the_same_question_twice_is_one_problem(tmp_path):
    train, _ = read(tmp_path, GOOD + GOOD)
    assert len(train) == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD + "{oops", "p.jsonl:3: not JSON"),
        (GOOD + "[1]", "p.jsonl:3: expected an object"),
        ('{"question": "x"}', "p.jsonl:1: no column 'answer'; it has 'question'"),
        ('{"question": "", "answer": "1"}', "p.jsonl:1: column 'question' is empty"),
    ],
)
def test_a_bad_line_is_named(tmp_path, text, says):
    with pytest.raises(BadInput) as caught:
        read(tmp_path, text)
    assert says in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"cannot read problems from .*none\.jsonl"):
        read_problems("run", ProblemsConfig(source=str(tmp_path / "none.jsonl")))


def test_a_heldout_question_that_is_trained_on_is_refused(tmp_path):
    other = tmp_path / "h.jsonl"
    other.write_text('{"question": "1+1?", "answer": "2"}')
    with pytest.raises(BadInput, match="must not be trained on"):
        read(tmp_path, GOOD, heldout_source=str(other))


def test_holding_out_all_problems_is_refused(tmp_path):
    with pytest.raises(BadInput, match="leaves none to search"):
        read(tmp_path, GOOD, heldout=2)


ODD_ROWS = [
    ('{"question": "a", "answer": null}', "column 'answer' is empty"),
    ('{"question": null, "answer": "1"}', "column 'question' is empty"),
    ('{"question": "a", "answer": NaN}', "column 'answer' is nan, not a number"),
    ('{"question": "a", "answer": "  "}', "column 'answer' is empty"),
    ('{"question": "a", "answer": "It is so.\\n####  "}', "no answer behind ####"),
    ('{"question": "a", "answer": []}', "column 'answer' is empty"),
    ('{"question": "a", "answer": ["1", "2"]}', "column 'answer' is a list of 2"),
    ('{"question": "a", "answer": [[1, 2]]}', "column 'answer' is a list of 2"),
    ('{"question": "a", "answer": true}', "column 'answer' is true"),
    ('{"question": "a", "answer": {"value": 1}}', "such as 'answer.value'"),
    ('{"question": [{"role": "user", "content": "a"}], "answer": 1}', "'question.content'"),
    ('{"question": "%s", "answer": 1}' % ("x" * 100_001), "has 100,001 characters, more than"),
]


@pytest.mark.parametrize(("row", "complaint"), ODD_ROWS, ids=[c for _, c in ODD_ROWS])
def test_a_value_of_another_type_is_refused_by_row(tmp_path, row, complaint):
    with pytest.raises(BadInput) as refused:
        read(tmp_path, GOOD + row)
    assert str(refused.value).startswith(f"{tmp_path}/p.jsonl:3: ")
    assert complaint in str(refused.value)


@pytest.mark.parametrize(
    ("value", "answer"),
    [('["15"]', "15"), ("[[15]]", "15"), ("3.0", "3.0"), ("-7", "-7"), ('" 1/2 "', "1/2")],
)
def test_a_number_or_a_list_of_one_is_its_text(tmp_path, value, answer):
    ((found,), _) = read(tmp_path, f'{{"question": "a", "answer": {value}}}')
    assert found.answer == answer


def test_a_level_that_is_no_text_is_none(tmp_path):
    rows = [
        '{"question": "a", "answer": 1, "level": null, "type": null}',
        '{"question": "b", "answer": 1, "level": NaN, "type": {}}',
        '{"question": "c", "answer": 1, "level": 3, "type": ["algebra"]}',
    ]
    found, _ = read(tmp_path, "\n".join(rows))
    assert [(p.level, p.kind) for p in found] == [("", ""), ("", ""), ("3", "algebra")]


def test_dotted_names_reach_into_objects(tmp_path):
    row = '{"prompt": [{"role": "user", "content": "a?"}], "reward_model": {"ground_truth": "7"}}'
    columns = {"question": "prompt.content", "answer": "reward_model.ground_truth"}
    ((found,), _) = read(tmp_path, row, **columns)
    assert (found.question, found.answer) == ("a?", "7")
    with pytest.raises(BadInput, match=r"no column 'reward_model.truth'"):
        read(tmp_path, row, question="prompt.content", answer="reward_model.truth")


def test_a_column_of_the_very_name_wins_over_an_object(tmp_path):
    row = '{"question": "a", "r.truth": "flat", "r": {"truth": "deep"}}'
    ((found,), _) = read(tmp_path, row, answer="r.truth")
    assert found.answer == "flat"


def test_columns_can_be_joined(tmp_path):
    row = '{"Body": "He has 7 cups. ", "Question": "How many?", "Answer": 7.0}'
    ((found,), _) = read(tmp_path, row, question="Body + Question", answer="Answer")
    assert (found.question, found.answer) == ("He has 7 cups. How many?", "7.0")
    with pytest.raises(BadInput, match=r"no column 'Quest'"):
        read(tmp_path, row, question="Body + Quest", answer="Answer")
    row = '{"Body": "a", "Question": "b", "Body + Question": "c", "Answer": 7.0}'
    ((found,), _) = read(tmp_path, row, question="Body + Question", answer="Answer")
    assert found.question == "c"


TWO_ANSWERS = '{"question": "1+1?", "answer": "3"}\n'


def test_a_question_with_two_answers_is_told_with_both_places(tmp_path):
    says = r"p\.jsonl:3: the answer is '3', but .*p\.jsonl:1 says '2'"
    with pytest.raises(BadInput, match=says):
        read(tmp_path, GOOD + TWO_ANSWERS)


def test_bad_rows_can_be_left_out_and_are_counted_and_named(tmp_path, caplog):
    bad = [row for row, _ in ODD_ROWS]
    text = "\n".join([bad[0], GOOD + TWO_ANSWERS + "{oops", *bad[1:]])
    found, _ = read(tmp_path, text, skip_bad=True)
    assert [p.question for p in found] == ["2+2?"]
    (line,) = [record.getMessage() for record in caplog.records]
    assert f"{len(bad) + 2} rows were left out, 1 used" in line
    assert f"{tmp_path}/p.jsonl:1: column 'answer' is empty; 4: the answer is '3'" in line
    assert "; and more" in line
    assert read(tmp_path, text, skip_bad=True)[0] == found  # and nothing is told twice
    assert len(caplog.records) == 1


def test_the_first_bad_rows_are_named_together(tmp_path):
    text = "\n".join([GOOD + ODD_ROWS[0][0], ODD_ROWS[1][0], ODD_ROWS[2][0], ODD_ROWS[3][0]])
    with pytest.raises(BadInput) as refused:
        read(tmp_path, text)
    said = str(refused.value)
    assert ":3: column 'answer' is empty; 4: column 'question' is empty; 5: column" in said
    assert "; and more (problems.skip_bad = true leaves such rows out)" in said


@pytest.mark.parametrize("text", ["", "\n\n", "[]", '{"example": []}'])
def test_a_file_without_problems_is_refused(tmp_path, text):
    name = "p.json" if text.startswith(("[", "{")) else "p.jsonl"
    (tmp_path / "h.jsonl").write_text(GOOD)
    with pytest.raises(BadInput, match=f"{name} holds no problems"):
        read(tmp_path, text, name, heldout_source=str(tmp_path / "h.jsonl"))


def test_a_file_of_bad_rows_alone_is_refused_even_if_they_are_left_out(tmp_path):
    with pytest.raises(BadInput, match=r"no problems that can be used: .*'answer' is empty"):
        read(tmp_path, ODD_ROWS[0][0], skip_bad=True)
