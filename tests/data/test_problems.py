import pytest

from rstar_async.config import ProblemsConfig
from rstar_async.data.problems import read_problems
from rstar_async.errors import BadInput


def read(tmp_path, text: str, name: str = "p.jsonl", **settings: object):
    path = tmp_path / name
    path.write_text(text)
    return read_problems("run", ProblemsConfig(source=str(path), **settings))


GOOD = '{"question": "1+1?", "answer": "2"}\n{"question": "2+2?", "answer": "so\\n#### 4"}\n'


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
