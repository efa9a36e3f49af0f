"""Requests to an SGLang server (0.5.21), and samples from its answers. Pure.

Three habits of the server are handled here. Its output ids keep the stop that ended them and may
run past a stop text: they are cut by the same `StopRule` as the local engine's. A prompt's samples
are sent as a batch of one-sample requests, each with its own seed, because a request for n samples
gives all of them the same seed. And the prompt is computed once before them, by a request for no
token, because requests that arrive together do not share a prefix that none has computed yet.
"""

from collections.abc import Sequence

from rstar_async.engines.errors import Interrupted
from rstar_async.engines.sglang_client import Body
from rstar_async.engines.sglang_messages import Completion, FinishReason
from rstar_async.seeding import seed_of
from rstar_async.wire.payloads import Generate, Sample, TokenIds
from workers.engines.stops import Decode, Finish, StopRule

SEED_BITS = 31


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
        # Text is decoded here, as everywhere else; stops must see the tags.
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
        finish = _server_finish(meta.finish_reason)
    logprobs = tuple(logprob for logprob, _, _ in meta.output_token_logprobs[: len(tokens)])
    if finish == "eos":
        tokens, logprobs = tokens[:-1], logprobs[: len(tokens) - 1]
    return Sample(tokens, decode(tokens), finish, logprobs)


def cut(ids: Sequence[int], rule: StopRule) -> tuple[list[int], Finish | None]:
    """The shortest prefix that the rule ends, and why; all ids and None if it ends none."""
    tokens: list[int] = []
    for token in ids:
        tokens.append(token)
        if (finish := rule.verdict(tokens)) is not None:
            return tokens, finish
    return tokens, None


def _server_finish(reason: FinishReason) -> Finish:
    """The server's reason, where the rule found no end: an end id that the folder does not name."""
    if reason.type == "length":
        return "length"
    return "eos" if isinstance(reason.matched, int) else "stop"
