"""Solved examples of the user's own in place of generated demonstrations."""

import json

from rstar_async.config import BootstrapConfig, Recipe
from rstar_async.demo.tokenizer import tiny_tokenizer
from rstar_async.text.encoding import Encoder
from rstar_async.trainer.context import TrainingContext


def test_a_policy_learns_from_the_users_examples(tmp_path):
    file = tmp_path / "examples.jsonl"
    rows = [
        {
            "question": f"What is {n} + 1?",
            "solution": f"# Add one\nn = {n} + 1\nprint(n)",
            "answer": n + 1,
        }
        for n in range(3)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    bootstrap = BootstrapConfig(kind="demonstrations", source=str(file))
    context = TrainingContext(Recipe(bootstrap=bootstrap), "run", database=None)
    encoder = Encoder(tiny_tokenizer(), "tagged")
    found = context.demonstrations(2, encoder)
    assert len(found) == 2
    text = encoder.decode(found[1].input_ids)
    assert "What is 1 + 1?" in text
    assert "# Add one\nn = 1 + 1\n<end_of_step>" in text
    assert "<output>2<end_of_output>" in text
    learnt = encoder.decode([label for label in found[1].labels if label >= 0])
    assert "What is" not in learnt
    assert "<output>" not in learnt
    assert context.demonstrations(0, encoder) == []
