"""What the simulated engines answer: the script of `benchmarks.search`, in steps of a usual length.

Steps carry as many tokens as the curve is asked for on average, so that messages, rows and the
encoding of programs cost the rest of the system what they would cost it in earnest.
"""

from functools import cache

from benchmarks.search import script
from rstar_async.wire.payloads import Generate, Generated, Sample

STEP_TOKENS = 80
FILLER = " and then"


def answer(request: Generate) -> Generated:
    """The scripted reply, each step preceded by a comment that brings it to STEP_TOKENS."""
    scripted = script.answer(request)
    assert isinstance(scripted, Generated)
    samples = [_lengthened(sample.text) for sample in scripted.samples]
    return Generated(request.model, samples, len(request.prompt), 0, 0.0)


@cache
def _lengthened(text: str) -> Sample:
    encoder = script.encoder()
    missing = STEP_TOKENS - len(encoder.step(text))
    a_filler = len(encoder.step(f"#{FILLER * 11}\n")) - len(encoder.step(f"#{FILLER}\n"))
    count = max(0, missing * 10 // a_filler)
    head, line, rest = text.partition(".\n")
    lengthened = f"{head}{FILLER * count}{line}{rest}" if line else text
    return Sample(encoder.step(lengthened), lengthened, "stop")
