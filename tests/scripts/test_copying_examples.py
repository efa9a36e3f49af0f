from random import Random

from rstar_async.demo.tokenizer import tiny_tokenizer
from rstar_async.text.encoding import Encoder
from scripts.demo_checkpoint.copying_examples import copying_examples, whole_words
from scripts.demo_checkpoint.examples import IGNORED

TOKENIZER = tiny_tokenizer()
ENCODER = Encoder(TOKENIZER, "tagged")
WORDS = whole_words(TOKENIZER)


def test_every_word_is_one_token() -> None:
    assert len(WORDS) > 200
    assert all(len(ENCODER.step(f" {word}")) == 1 for word in WORDS)


def test_a_story_is_quoted_word_for_word_and_only_the_quotation_is_learnt() -> None:
    for made in copying_examples(20, WORDS, ENCODER, Random(1)):
        text = ENCODER.decode(made.ids)
        story = text.partition(":\n")[2].partition("\n<|assistant|>")[0]
        quoted = [line[2:] for line in text.splitlines() if line.startswith("# ")]
        assert " ".join(quoted[:-1]) == story
        learnt = ENCODER.decode([label for label in made.labels if label != IGNORED])
        assert learnt.startswith("<code>\n# 1) ")
        assert "<output>" not in learnt


def test_the_output_is_repeated_in_the_answer() -> None:
    for made in copying_examples(20, WORDS, ENCODER, Random(2)):
        text = ENCODER.decode(made.ids)
        output = text.partition("<output>")[2].partition("<end_of_output>")[0]
        assert text.endswith(f"\n<answer>\\boxed{{{output}}}<end_of_answer>")
