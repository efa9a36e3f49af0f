"""Requests to an OpenAI-compatible server, and samples from its answers. Pure.

Servers differ: some give fewer choices than were asked for or none, a text of null, an error with
status 200; only some name the stop they met (`stop_reason` vLLM, `matched_stop` SGLang).
"""

import json
import re
from collections.abc import Sequence
from typing import Any, Literal, TypeVar

import msgspec

from rstar_async.engines.errors import BadRequest, Interrupted
from rstar_async.sanitize import to_json
from rstar_async.wire.payloads import Generate, Sample
from workers.engines.stops import Decode
from workers.engines.tokenizer import Encode

SEED_RANGE = 2**31
# A choice that ended like this is not what the model wrote.
DROPPED = ("abort", "error")
# How servers refuse a request whose prompt leaves no room for `max_tokens`.
_ABOUT_LENGTH = re.compile(
    r"context"
    r"|too long"
    r"|too many (input |prompt |total )*tokens"
    r"|(prompt|input|request|sequence|message)s?\b.{0,60}\b(too large|longer|exceed)"
    r"|(\btokens?|length)\b.{0,60}\bexceed|exceed.{0,60}(\btokens?|length)\b"
    r"|maximum (allowed |number of |input |prompt |sequence |total |model )*(length|tokens)"
    r"|max_(model|seq|total|num|input|sequence)_(len|length|tokens)"
    r"|(input|prompt|sequence) (token )?(length|count)"
    r"|tokens`? \+ `?max_(new_)?tokens"
    r"|reduce the length",
    re.IGNORECASE | re.DOTALL,
)

_ABOUT_COUNT = re.compile(r"\bn\b|one (completion )?choice|best_of|multiple (choices|completions)")

T = TypeVar("T")


class TooLong(BadRequest):
    """Prompt and `max_tokens` exceed what the server can take."""


class Choice(msgspec.Struct, frozen=True):
    """One sample."""

    text: str | None = None
    finish_reason: str | None = None
    stop_reason: Any = None
    matched_stop: Any = None

    @property
    def stop(self) -> int | str | None:
        """What the server says it stopped at: an id or a text, or the last of several."""
        named = self.matched_stop if self.stop_reason is None else self.stop_reason
        if isinstance(named, list) and named:
            named = named[-1]
        return named if isinstance(named, int | str) else None


class Reply(msgspec.Struct, frozen=True):
    choices: list[Choice] | None = None
    error: Any = None


class ListedModel(msgspec.Struct, frozen=True):
    """`max_model_len` is what prompt and new tokens may have together; only some servers say it."""

    id: str
    max_model_len: int | None = None


class ModelList(msgspec.Struct, frozen=True):
    data: list[ListedModel]


def is_about_length(refusal: str) -> bool:
    """Whether a server refuses a request because it is too long; an array is that of the stops."""
    return _ABOUT_LENGTH.search(refusal) is not None and "array" not in refusal.lower()


def is_about_count(refusal: str) -> bool:
    """Whether a server may refuse a request because it gives one sample at a time."""
    return _ABOUT_COUNT.search(refusal) is not None


def completion_body(
    request: Generate, model: str, prompt: Sequence[int] | str, max_tokens: int, decode: Decode
) -> dict[str, Any]:
    """The body of `/completions` for all samples of a request."""
    sampling, stop_ids = request.sampling, list(request.sampling.stop_token_ids)
    body: dict[str, Any] = {
        "model": model,
        "prompt": prompt,
        "n": request.n,
        "seed": request.seed % SEED_RANGE,
        "max_tokens": max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "stop": stop_texts(request, decode),
    }
    if stop_ids:  # tags are special tokens, which servers leave out of the text
        body |= {"stop_token_ids": stop_ids, "skip_special_tokens": False}
    return body


def stop_texts(request: Generate, decode: Decode) -> list[str]:
    sampling = request.sampling
    return [*sampling.stop_texts, *(decode([id_]) for id_ in sampling.stop_token_ids)]


def usable_choices(content: bytes, source: str) -> list[Choice]:
    """The choices that hold a text. `TooLong` or `Interrupted` for an answer that is none: a
    gateway's page, an error with status 200, no choice with a text."""
    reply = read(content, Reply, source)
    if reply.choices is None:
        reason = str(reply.error)[:200] if reply.error else "it has no choices"
        if is_about_length(reason):
            raise TooLong(reason)
        raise Interrupted(f"{source} answered no completion: {reason}")
    usable = [c for c in reply.choices if c.text is not None and c.finish_reason not in DROPPED]
    if not usable:
        raise Interrupted(f"{source} answered {len(reply.choices)} choices, none with a text")
    return usable


def sample_of(choice: Choice, request: Generate, encode: Encode, decode: Decode) -> Sample:
    """The sample with its stop, which servers leave out of the text."""
    text, finish = choice.text or "", _finish(choice, request, decode)
    if finish == "stop" and (stop := choice.stop) is not None:
        ending = decode([stop]) if isinstance(stop, int) else stop
        text = text if text.endswith(ending) else text + ending
    return Sample(encode(text), text, finish)


def _finish(choice: Choice, request: Generate, decode: Decode) -> Literal["stop", "length", "eos"]:
    """A stop that the server neither names nor shows counts as the end of the text."""
    if choice.finish_reason == "length":
        return "length"
    stop, ends = choice.stop, stop_texts(request, decode)
    if isinstance(stop, int):
        return "stop" if stop in request.sampling.stop_token_ids else "eos"
    shown = (choice.text or "").endswith(tuple(ends)) if ends else False
    return "stop" if shown or stop in ends else "eos"


def read(content: bytes, kind: type[T], source: str) -> T:
    """An answer of this shape; `Interrupted` for any other, which may be a gateway's."""
    try:
        return _decode(content, kind)
    except ValueError as error:
        text = " ".join(content[:100].decode(errors="replace").split())
        raise Interrupted(f"{source} answered what no such server would: {text!r}") from error


def _decode(content: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError:  # half a character, as servers cut them, is a lone surrogate
        return msgspec.json.decode(to_json(json.loads(content)), type=kind)
