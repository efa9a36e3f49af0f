"""What an SGLang server (0.5.21) answers, route by route."""

import msgspec


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


class WeightSpan(msgspec.Struct, frozen=True):
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
    weight_versions: list[WeightSpan] = []
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


class LoadResult(msgspec.Struct, frozen=True):
    """`/update_weights_from_disk`."""

    success: bool
    message: str
