"""What is said to an SGLang server (0.5.21) and what it answers; pure.

Three of its habits are met here. Its output ids keep the stop that ended them, and may run past a
stop text: they are cut by the same `StopRule` as the local engine's. A prompt's samples are sent as
a batch of one-sample requests, each with its own seed, because a request for n samples gives all of
them the same one. And the prompt is computed once before them by a request for no token at all,
because requests that arrive together do not share what none of them has computed yet.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from rstar_async.seeding import seed_of
from rstar_async.wire.payloads import Generate, Sample, TokenIds
from workers.engines.base import Interrupted
from workers.engines.stops import Decode, Finish, StopRule

Body = dict[str, Any]

SEED_BITS = 31


class ModelInfo(msgspec.Struct, frozen=True):
    """`/model_info`: what is being served."""

    model_path: str
    is_generation: bool
    weight_version: str


class ServerInfo(msgspec.Struct, frozen=True):
    """`/server_info`: how it was started."""

    dtype: str = "auto"
    enable_deterministic_inference: bool = False
    disable_radix_cache: bool = False
    # A little less than the context, or than the whole cache if that is smaller.
    max_req_input_len: int | None = None


class Span(msgspec.Struct, frozen=True):
    """Output tokens `start` to `end` were computed with these weights."""

    version: str
    start: int
    end: int


class FinishReason(msgspec.Struct, frozen=True):
    """`matched` is the stop: a token id or a text."""

    type: str
    matched: int | str | list[int] | None = None
    message: str | None = None


class Meta(msgspec.Struct, frozen=True):
    finish_reason: FinishReason
    weight_version: str
    prompt_tokens: int = 0
    cached_tokens: int = 0
    weight_versions: list[Span] = []
    # (log probability, id, text) of the prompt from `logprob_start_len` on; the first has none.
    input_token_logprobs: list[tuple[float | None, int, str | None]] = []
    output_token_logprobs: list[tuple[float, int, str | None]] = []


class Completion(msgspec.Struct, frozen=True):
    """One sample of `/generate`."""

    output_ids: list[int]
    meta_info: Meta

    @property
    def versions(self) -> set[str]:
        """All weights that had a part in it."""
        return {self.meta_info.weight_version, *(s.version for s in self.meta_info.weight_versions)}


class ClassMeta(msgspec.Struct, frozen=True):
    weight_version: str = ""
    prompt_tokens: int = 0


class Classified(msgspec.Struct, frozen=True):
    """One text of `/classify`: the head's raw outputs at its last token."""

    embedding: list[float]
    meta_info: ClassMeta


class Loaded(msgspec.Struct, frozen=True):
    """`/update_weights_from_disk`."""

    success: bool
    message: str


def prefill(prompt: TokenIds, rid: str) -> Body:
    """Compute a prompt into the prefix cache and say how much of it was there already."""
    return {"rid": rid, "input_ids": prompt, "sampling_params": {"max_new_tokens": 0}}


def samples(request: Generate, limit: int, rid: str) -> Body:
    """All samples of a request, at most `limit` tokens each."""
    return {
        "rid": rids(request, rid),
        "input_ids": [request.prompt] * request.n,
        "sampling_params": [_sampling(request, limit, number) for number in range(request.n)],
        "return_logprob": request.logprobs,
    }


def rids(request: Generate, rid: str) -> list[str]:
    """The names by which the samples can be aborted."""
    return [f"{rid}-{number}" for number in range(request.n)]


def probe(ids: TokenIds) -> Body:
    """Ask for the log probability of the last id; samples nothing."""
    return {
        "input_ids": ids,
        "sampling_params": {"max_new_tokens": 0},
        "return_logprob": True,
        "logprob_start_len": len(ids) - 2,
    }


def probed(completion: Completion) -> float:
    """The answer to `probe`."""
    logprob = completion.meta_info.input_token_logprobs[-1][0]
    return float("nan") if logprob is None else logprob


def _sampling(request: Generate, limit: int, number: int) -> Body:
    sampling = request.sampling
    return {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_new_tokens": limit,
        "stop_token_ids": list(sampling.stop_token_ids),
        "stop": list(sampling.stop_texts),
        # Ignored by a server that was not started with --enable-deterministic-inference.
        "sampling_seed": seed_of(request.seed, number) >> (63 - SEED_BITS),
        # Text is made here, by the same decoder as everywhere; stops must see the tags.
        "skip_special_tokens": False,
        "spaces_between_special_tokens": False,
    }


def sample_of(completion: Completion, rule: StopRule, decode: Decode) -> Sample:
    """Cut a completion where its step ends."""
    meta = completion.meta_info
    if meta.finish_reason.type == "abort":
        raise Interrupted(f"SGLang aborted the request: {meta.finish_reason.message}")
    tokens, finish = cut(completion.output_ids, rule)
    if finish is None:
        finish = _said(meta.finish_reason)
    logprobs = tuple(logprob for logprob, _, _ in meta.output_token_logprobs[: len(tokens)])
    if finish == "eos":
        tokens, logprobs = tokens[:-1], logprobs[: len(tokens) - 1]
    return Sample(tokens, decode(tokens), finish, logprobs)


def cut(ids: Sequence[int], rule: StopRule) -> tuple[list[int], Finish | None]:
    """The shortest prefix that the rule ends, and why; all of them and None if it ends nowhere."""
    tokens: list[int] = []
    for token in ids:
        tokens.append(token)
        if (finish := rule.verdict(tokens)) is not None:
            return tokens, finish
    return tokens, None


def _said(reason: FinishReason) -> Finish:
    """The server's own word, where our rule saw no end: an end id that the folder does not name."""
    if reason.type == "length":
        return "length"
    return "eos" if isinstance(reason.matched, int) else "stop"
