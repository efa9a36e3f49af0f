import pytest

from rstar_async.data.hub_names import refuse_bare_hub_name
from rstar_async.errors import BadInput


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)


def test_the_name_of_a_dataset_is_answered_with_the_right_spelling():
    with pytest.raises(BadInput, match="hf:openai/gsm8k@train"):
        refuse_bare_hub_name("openai/gsm8k", "problems.source")


@pytest.mark.parametrize(
    "source",
    ["generated", "", "data/mine", "mine.jsonl", "a/b/c", "/a/b", "hf:openai/gsm8k", "x/y.jsonl"],
)
def test_what_may_be_a_file_is_left_to_the_reader(source):
    refuse_bare_hub_name(source, "problems.source")
