"""Questions and outputs of any characters have token ids."""

import pytest

from rstar_async.models.sources import DEMO_CHECKPOINT
from rstar_async.text.encoding import Encoder

ODD = ["half \ud83d of one", "\udc80\ud800", "NUL \0", "turned \u202e round", "\uffff\U0010ffff"]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.load(DEMO_CHECKPOINT, "tagged")


@pytest.mark.parametrize("text", ODD, ids=ascii)
def test_every_text_is_encoded_with_what_cannot_be_replaced(encoder, text):
    replaced = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    for encode in (encoder.prompt, encoder.observation, encoder.step):
        assert encode(text) == encode(replaced)
        assert len(encode(text)) > 0
    assert replaced in encoder.decode(encoder.prompt(text))
