"""Whether a reply is an answer to its request: what a worker says is checked before it counts.

Refused is what no honest worker says: another model, another number of samples, ids that the model
does not have, figures that are no numbers or that the store cannot hold. Whether an answer is a
good one cannot be told here. Pure.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rstar_async.wire.payloads import (
    Execute,
    Executed,
    Generate,
    Generated,
    Sample,
    Score,
    Scored,
    program_digest,
)

IDS = 2**31  # token ids are stored as int32
MOST = 2**31 - 1  # of any count
MOST_SECONDS = 7 * 86400.0
CHARACTERS_PER_TOKEN = 1024
TOKENS_BEYOND_LIMIT = 64  # a server that answers in text may be encoded into more ids than it drew
ESCAPED_BYTE = 4  # characters of an output byte that is not UTF-8
NAME_CHARACTERS = 1000  # of an exception's type
TEXT_CHARACTERS = 65536  # of a value or an error message


class BadReply(Exception):
    """This is no answer to the request; the message says why."""


class DoubtfulReply(BadReply):
    """It would be an answer if the worker's limits are lower than what is known of the model; a
    second run that says the same is believed. `value` is the reply."""

    value: Any = None


@dataclass(frozen=True, slots=True)
class ModelBounds:
    """What is known of a model version: its ids run from 0 up to `vocabulary`, and it reads at
    most `context` tokens (0: unknown)."""

    vocabulary: int = IDS
    context: int = 0

    def fits(self, tokens: int) -> bool:
        return tokens <= self.context


UNKNOWN_MODEL = ModelBounds()


def check_generated(
    request: Generate, reply: Generated, model: ModelBounds = UNKNOWN_MODEL
) -> None:
    """Raise `BadReply` unless `reply` answers `request`."""
    _check_model(request.model, reply.model)
    if len(reply.samples) != request.n:
        raise BadReply(f"{len(reply.samples)} samples where {request.n} were asked for")
    _check_cost(reply)
    if reply.prompt_tokens != len(request.prompt):
        raise BadReply(f"{reply.prompt_tokens} prompt tokens of {len(request.prompt)}")
    for sample in reply.samples:
        _check_sample(request, sample, model)
    has_room = model.fits(len(request.prompt) + 1)
    if has_room and any(not s.tokens and s.finish == "length" for s in reply.samples):
        raise DoubtfulReply(f"no room after {len(request.prompt)} tokens of {model.context}")


def check_scored(request: Score, reply: Scored, model: ModelBounds = UNKNOWN_MODEL) -> None:
    """Raise `BadReply` unless `reply` answers `request`."""
    _check_model(request.model, reply.model)
    if len(reply.values) != len(request.steps):
        raise BadReply(f"{len(reply.values)} values of {len(request.steps)} steps")
    _check_cost(reply)
    if any(math.isinf(value) for value in reply.values):
        raise BadReply("an infinite value")
    for step, value in zip(request.steps, reply.values, strict=True):
        length = len(request.prefix) + len(step)
        if math.isnan(value) and model.fits(length):
            raise DoubtfulReply(f"no value of a step that ends at token {length}")


def check_executed(request: Execute, reply: Executed) -> None:
    """Raise `BadReply` unless `reply` is the outcome of the request's program."""
    if reply.program and reply.program != program_digest(request.steps):
        raise BadReply("the outcome of another program")
    _check_range("failed step", reply.step, -1, len(request.steps) - 1)
    _check_range("line", reply.line, 0, MOST)
    _check_range("reused steps", reply.reused_steps, 0, len(request.steps))
    _check_measure("CPU seconds", reply.cpu_seconds, MOST_SECONDS)
    _check_measure("MiB", reply.peak_mib, MOST)
    if reply.status == "ok" and (reply.step != -1 or reply.error_type):
        raise BadReply("a success that names an error")
    _check_length("output", reply.stdout, ESCAPED_BYTE * request.limits.output_bytes)
    _check_length("error type", reply.error_type, NAME_CHARACTERS)
    _check_length("value", reply.value, TEXT_CHARACTERS)
    _check_length("error message", reply.error_message, TEXT_CHARACTERS)


def _check_sample(request: Generate, sample: Sample, model: ModelBounds) -> None:
    tokens = sample.tokens
    _check_ids(tokens, model.vocabulary)
    if len(tokens) > 2 * request.sampling.max_tokens + TOKENS_BEYOND_LIMIT:
        raise BadReply(f"{len(tokens)} tokens where {request.sampling.max_tokens} were allowed")
    if sample.text and not tokens:
        raise BadReply("a text without tokens")
    _check_length("text", sample.text, CHARACTERS_PER_TOKEN * len(tokens))
    if not sample.logprobs and not request.logprobs:
        return
    if len(sample.logprobs) != len(tokens):
        raise BadReply(f"{len(sample.logprobs)} log probabilities of {len(tokens)} tokens")
    if not all(map(math.isfinite, sample.logprobs)):
        raise BadReply("a log probability that is not finite")


def _check_ids(tokens: Sequence[int], vocabulary: int) -> None:
    if tokens and not 0 <= min(tokens) <= max(tokens) < min(vocabulary, IDS):
        bad = next(token for token in tokens if not 0 <= token < min(vocabulary, IDS))
        raise BadReply(f"token id {bad} of a vocabulary of {vocabulary}")


def _check_model(asked: str, given: str) -> None:
    if given != asked:
        raise BadReply(f"an answer of model {given[:200]!r} where {asked!r} was asked")


def _check_cost(reply: Generated | Scored) -> None:
    _check_range("prompt tokens", reply.prompt_tokens, 0, MOST)
    _check_range("cached tokens", reply.cached_tokens, 0, reply.prompt_tokens)
    _check_measure("seconds", reply.seconds, MOST_SECONDS)


def _check_range(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise BadReply(f"{name}: {value} is not from {least} to {most}")


def _check_measure(name: str, value: float, most: float) -> None:
    if not 0.0 <= value <= most:  # not true of NaN either
        raise BadReply(f"{name}: {value} is not from 0 to {most:g}")


def _check_length(name: str, text: str, most: int) -> None:
    if len(text) > most:
        raise BadReply(f"{name} of {len(text)} characters, above {most}")
