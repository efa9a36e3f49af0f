"""Exported conversations become the ids and the loss mask that this project trains on."""

import pytest
from transformers import AutoTokenizer

from rstar_async.data.schemas import Solution, messages
from rstar_async.demo.problems import word_problems
from rstar_async.trainer.checkpoint_io import copy_tokenizer, save_chat_template
from rstar_async.trainer.dataset import NOT_IN_LOSS, demonstration_row


@pytest.fixture(scope="module")
def tokenizer(base, encoder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("policy")
    copy_tokenizer(base, folder)
    save_chat_template(folder, encoder)
    return AutoTokenizer.from_pretrained(folder)


def test_a_conversation_has_the_ids_and_the_loss_mask_of_a_training_row(tokenizer, encoder):
    (problem,) = word_problems(1, (2,), 3, "demonstration")
    row = demonstration_row(problem.question, problem.solution, encoder)
    conversation = messages(Solution(problem.question, problem.solution))["messages"]
    made = tokenizer.apply_chat_template(
        conversation, return_dict=True, return_assistant_tokens_mask=True
    )
    assert made["input_ids"] == row.input_ids
    assert made["assistant_masks"] == [int(label != NOT_IN_LOSS) for label in row.labels]


def test_a_question_alone_becomes_the_prompt(tokenizer, encoder):
    question = [{"role": "user", "content": "What is 3 + 4?"}]
    made = tokenizer.apply_chat_template(question, add_generation_prompt=True, return_dict=True)
    assert made["input_ids"] == encoder.prompt("What is 3 + 4?")
