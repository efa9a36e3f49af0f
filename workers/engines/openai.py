"""Any server with OpenAI's `/completions`: vLLM, llama.cpp, a hosted model.

It offers less than the other engines: servers return text, which is encoded here, so ids may differ
from those that were sampled; they say neither what was cached nor which weights answered; and their
weights cannot be exchanged. `docs/engines.md` says what that costs.
"""

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

import msgspec
import trio
from msgspec import Meta, structs

from rstar_async.engines.errors import BadRequest, Interrupted, ModelUnavailable
from rstar_async.errors import BadInput
from rstar_async.seeding import seed_of
from rstar_async.text.bos import BosIds, bos_ids_of
from rstar_async.wire.exception_groups import first
from rstar_async.wire.payloads import Generate, Generated, Sample, TokenIds
from workers.engines.base import Counters, Statistics
from workers.engines.checkpoint import model_folder
from workers.engines.limits import check_generate
from workers.engines.openai_client import OpenAIClient
from workers.engines.openai_protocol import (
    Choice,
    TooLong,
    completion_body,
    is_about_count,
    sample_of,
)
from workers.engines.options import check_url
from workers.engines.stops import Decode
from workers.engines.tokenizer import Encode, open_decoder, open_encoder

# How often to ask again for samples that a server left out.
ROUNDS_FOR_THE_REST = 2
# After so many texts that ended at a stop, none of which was named.
UNNAMED_STOPS = 50

log = logging.getLogger(__name__)


class OpenAISettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which server, and how it is asked."""

    url: Annotated[str, Meta(description="of the server, before /completions")] = ""
    served_as: Annotated[
        str, Meta(description="the model's name on the server; default: the version's")
    ] = ""
    api_key_env: Annotated[
        str, Meta(description="environment variable that holds the server's key, if it wants one")
    ] = "OPENAI_API_KEY"
    prompts: Annotated[
        Literal["ids", "text"],
        Meta(description="how prompts are sent; ids, or text for servers that accept no ids"),
    ] = "ids"

    def check(self) -> None:
        """Refuse what could not work."""
        if not self.url:
            raise BadInput("the engine openai needs the --url of a server, as http://host:8000/v1")
        check_url("--url", self.url)


@dataclass(frozen=True)
class Served:
    """A version on the server: its tokenizer here, and the longest sequence if the server says."""

    encode: Encode
    decode: Decode
    bos_ids: BosIds
    context: int | None

    def room(self, request: Generate) -> int:
        """How many tokens each sample may have; `TooLong` if the prompt leaves none."""
        if self.context is None:
            return request.sampling.max_tokens
        room = min(request.sampling.max_tokens, self.context - len(request.prompt))
        if room <= 0:
            raise TooLong(f"the prompt fills the {self.context} tokens that the server takes")
        return room

    def text(self, prompt: TokenIds) -> str:
        """The prompt without BOS, which a server puts before a text itself."""
        begin = len(self.bos_ids)
        return self.decode(prompt[begin:] if tuple(prompt[:begin]) == self.bos_ids else prompt)


class OpenAIEngine:
    """The server knows a version by the version's name, or by `settings.served_as`: then the first
    version that is asked for is taken for that model, and any other version is refused.

    Raises `BadInput` where the server can answer no request at all: its process should end.
    """

    def __init__(self, models_dir: Path, settings: OpenAISettings) -> None:
        self.models_dir = models_dir
        self.settings = settings
        self.counters = Counters()
        self._served: dict[str, Served] = {}
        self._unnamed = 0.0
        self._one_by_one = trio.Lock()
        self._server = OpenAIClient(settings.url, settings.api_key_env)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.__aexit__()

    def statistics(self) -> Statistics:
        return Statistics(
            versions=tuple(self._served),
            requests=self.counters.requests,
            prompt_tokens=self.counters.prompt_tokens,
            new_tokens=self.counters.new_tokens,
        )

    async def generate(self, request: Generate) -> Generated:
        """Continue a prompt; safe to cancel."""
        check_generate(request)
        if request.logprobs:
            raise BadRequest("the openai engine gives no log probabilities of ids")
        started = time.perf_counter()
        async with self._one_by_one:
            served = await self._version(request.model)
        try:
            choices = await self._all_choices(request, served, served.room(request))
        except TooLong:
            samples = [Sample([], "", "length")] * request.n
        else:
            self._warn_of_unnamed_stops(choices)
            samples = [sample_of(c, request, served.encode, served.decode) for c in choices]
        new = sum(len(sample.tokens) for sample in samples)
        self.counters.count(len(request.prompt), 0, new)
        seconds = time.perf_counter() - started
        return Generated(request.model, samples, len(request.prompt), 0, seconds)

    def _warn_of_unnamed_stops(self, choices: Sequence[Choice]) -> None:
        """Once, of a server whose steps all look as if the text were over."""
        if any(choice.stop is not None for choice in choices):
            self._unnamed = -math.inf
        self._unnamed += sum(choice.finish_reason == "stop" for choice in choices)
        if self._unnamed >= UNNAMED_STOPS:
            self._unnamed = -math.inf
            log.warning(
                "the server does not say at which stop a text ended, so every step counts as "
                "unfinished; vLLM and SGLang do say it",
                extra={"url": self.settings.url},
            )

    async def _all_choices(
        self, request: Generate, served: Served, max_tokens: int
    ) -> Sequence[Choice]:
        """As many choices as were asked for; `Interrupted` if the server does not give them."""
        try:
            choices = await self._choices(request, served, max_tokens)
        except BadRequest as refusal:
            if request.n == 1 or not is_about_count(str(refusal)):
                raise
            choices = []
        for _ in range(ROUNDS_FOR_THE_REST):
            try:
                await self._add_the_rest(choices, request, served, max_tokens)
            except ExceptionGroup as group:
                raise first(group) from group
        if len(choices) < request.n:
            raise Interrupted(f"{self.settings.url} gave {len(choices)} of {request.n} samples")
        return choices[: request.n]

    async def _add_the_rest(
        self, choices: list[Choice], request: Generate, served: Served, max_tokens: int
    ) -> None:
        """Ask for each missing sample by itself, all at once, with a seed of its own."""

        async def add_one(number: int) -> None:
            one = structs.replace(request, n=1, seed=seed_of(request.seed, number))
            choices.extend(await self._choices(one, served, max_tokens))

        async with trio.open_nursery() as nursery:
            for number in range(len(choices), request.n):
                nursery.start_soon(add_one, number)

    async def _choices(self, request: Generate, served: Served, max_tokens: int) -> list[Choice]:
        model = self.settings.served_as or request.model
        as_ids = self.settings.prompts == "ids"
        prompt = request.prompt if as_ids else served.text(request.prompt)
        body = completion_body(request, model, prompt, max_tokens, served.decode)
        return await self._server.complete(body)

    async def _version(self, version: str) -> Served:
        """The version's tokenizer, after a check that the server has the model."""
        if version not in self._served:
            folder = model_folder(self.models_dir, version)
            if self.settings.served_as and self._served:
                (bound,) = self._served
                raise ModelUnavailable(folder, f"{self.settings.served_as} serves {bound} already")
            context = await self._context_of(self.settings.served_as or version)
            codec = open_encoder(folder), open_decoder(folder)
            self._served[version] = Served(*codec, bos_ids_of(folder), context)
        return self._served[version]

    async def _context_of(self, name: str) -> int | None:
        """The longest sequence of the model, if the server says; `BadInput` if it lists others."""
        models = await self._server.models()
        if models is None:
            return None
        for model in models:
            if model.id == name:
                return model.max_model_len
        known = ", ".join(model.id for model in models) or "none"
        raise BadInput(f"{self.settings.url} has no model {name!r}; it has {known}")
