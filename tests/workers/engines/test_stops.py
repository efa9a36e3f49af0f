from collections.abc import Sequence

from rstar_async.wire.payloads import Sampling
from workers.engines.stops import StopRule

TEXT = {1: "ab", 2: "\ncd", 3: "", 4: "e\n\n", 5: " f"}


def decode(tokens: Sequence[int]) -> str:
    """Like sentencepiece, strips the very first space."""
    return "".join(TEXT[token] for token in tokens).removeprefix(" ")


def ending(tokens: list[int], limit: int = 100, **sampling: tuple[object, ...]) -> tuple[int, str]:
    """After how many tokens the rule ends a sample that would go on with `tokens`, and why."""
    rule = StopRule(Sampling(**sampling), frozenset({3}), limit, decode)  # type: ignore[arg-type]
    for count in range(1, len(tokens) + 1):
        if (verdict := rule.verdict(tokens[:count])) is not None:
            return count, verdict
    return len(tokens), "goes on"


def test_ids_end_before_texts_and_length() -> None:
    assert ending([1, 5, 2], stop_token_ids=(5,)) == (2, "stop")
    assert ending([1, 5, 2], limit=2, stop_token_ids=(5,)) == (2, "stop")
    assert ending([1, 1, 1], limit=2) == (2, "length")
    assert ending([1, 3, 1]) == (2, "eos")
    assert ending([1, 3, 1], stop_token_ids=(3,)) == (2, "stop")


def test_a_text_may_span_tokens_and_end_inside_one() -> None:
    assert ending([1, 1, 2, 1], stop_texts=("b\nc",)) == (3, "stop")
    assert ending([1, 4, 1], stop_texts=("\n\n", "zz")) == (2, "stop")
    assert ending([4, 2, 4], stop_texts=("\n\n\n",)) == (2, "stop")
    assert ending([1, 1, 1], stop_texts=("ba",)) == (2, "stop")


def test_a_stripped_first_space_neither_hides_nor_invents_a_stop() -> None:
    assert ending([5, 1, 1, 1, 1, 1, 1, 1, 5], stop_texts=(" f",)) == (9, "stop")
    assert ending([5, 1], stop_texts=(" f",)) == (2, "goes on")
