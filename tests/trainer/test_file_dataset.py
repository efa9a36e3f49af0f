import json

import pytest

from rstar_async.errors import BadInput
from rstar_async.text import prompts, tags
from rstar_async.trainer.dataset import NOT_IN_LOSS
from rstar_async.trainer.file_dataset import read_preferences, read_sft
from rstar_async.trainer.packing import pack

FIRST = f"{tags.CODE}\n# Add\nx = 3 + 4\n{tags.END_OF_STEP}"
RIGHT = f"\n# Now print the final answer\nprint(x)\n{tags.END_OF_CODE}"
WRONG = f"\n# Now print the final answer\nprint(x - 1)\n{tags.END_OF_CODE}"
SEVEN = f"\n{tags.OUTPUT}7{tags.END_OF_OUTPUT}\n{tags.ANSWER}\\boxed{{7}}{tags.END_OF_ANSWER}"
SIX = SEVEN.replace("7", "6")
PROMPT = f"{prompts.QUESTION_PREFIX}What is 3 + 4?{prompts.QUESTION_SUFFIX}"
STEP = {
    "prompt": PROMPT + FIRST,
    "pos": RIGHT + SEVEN.partition(f"\n{tags.ANSWER}")[0],
    "neg": WRONG + SIX.partition(f"\n{tags.ANSWER}")[0],
    "pos_count": 1,
    "neg_count": 4,
}
WHOLE = {
    "prompt": f"{prompts.QUESTION_PREFIX}What is 3 + 4?",
    "pos": prompts.QUESTION_SUFFIX + FIRST + RIGHT + SEVEN,
    "neg": prompts.QUESTION_SUFFIX + FIRST + WRONG + SIX,
    "pos_count": 2,
    "neg_count": 2,
}


def write_json(path, *records):
    path.write_text(json.dumps(records))
    return path


def test_solutions_become_rows_as_search_would_make_them(encoder, tmp_path):
    file = write_json(
        tmp_path / "sft.json", {"query": "What is 3 + 4?", "response": FIRST + RIGHT + SEVEN}
    )
    (row,) = read_sft(file, encoder)
    assert encoder.decode(row.input_ids) == PROMPT + FIRST + RIGHT + SEVEN
    in_loss = encoder.decode([label for label in row.labels if label != NOT_IN_LOSS])
    assert in_loss == f"{FIRST}{RIGHT}\n{tags.ANSWER}\\boxed{{7}}{tags.END_OF_ANSWER}"


def test_the_columns_of_trl_give_the_same_row(encoder, tmp_path):
    values = {"prompt": PROMPT, "completion": FIRST + RIGHT + SEVEN}
    file = tmp_path / "sft.jsonl"
    file.write_text(json.dumps(values) + "\n")
    record = {"query": "What is 3 + 4?", "response": values["completion"]}
    assert read_sft(file, encoder) == read_sft(write_json(tmp_path / "sft.json", record), encoder)


def test_preferences_about_one_question_become_one_tree_that_shares_prefixes(encoder, tmp_path):
    (tree,) = read_preferences(write_json(tmp_path / "ppm.json", STEP, WHOLE), encoder)
    assert sorted(tree.steps) == ["0.1", "0.1.1", "0.1.1.1", "0.1.2", "0.1.2.1"]
    assert [(p.chosen, p.rejected, p.kind, p.weight) for p in tree.pairs] == [
        ("0.1.1", "0.1.2", "step", 0.25),
        ("0.1.1.1", "0.1.2.1", "trajectory", 0.25),
    ]
    (packed,), kept = pack(tree, 1000, 1000)
    assert len(kept) == 2
    assert encoder.decode(packed.input_ids).count(FIRST) == 1


def test_preferences_in_the_columns_of_trl_have_weight_one(encoder, tmp_path):
    record = {"prompt": PROMPT + FIRST, "chosen": RIGHT, "rejected": WRONG}
    (tree,) = read_preferences(write_json(tmp_path / "ppm.json", record), encoder)
    assert tree.pairs[0].weight == 1


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"query": "?"}, r"has 'query'; expected \{query, response\},"),
        ({"query": "?", "response": "The answer is 7."}, "ends with 'The answer is 7.', not with"),
    ],
)
def test_a_solution_that_cannot_be_read_is_named(record, message, encoder, tmp_path):
    with pytest.raises(BadInput, match=f"problem 1.*{message}"):
        read_sft(write_json(tmp_path / "sft.json", record), encoder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"neg": STEP["pos"]}, "are the same"),
        ({"prompt": "What is 3 + 4?"}, "prompt and solution must be"),
        ({"pos": "\nx = 1"}, "not with one of"),
    ],
)
def test_a_preference_that_cannot_be_read_is_named(changes, message, encoder, tmp_path):
    with pytest.raises(BadInput, match=message):
        read_preferences(write_json(tmp_path / "ppm.json", {**STEP, **changes}), encoder)
