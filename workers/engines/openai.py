"""Any server with OpenAI's `/completions`: vLLM, llama.cpp, a hosted model.

It offers less than the other engines: servers return text, which is encoded here, so ids may differ
from those that were sampled; they say neither what was cached nor which weights answered; and their
weights cannot be exchanged. `docs/engines.md` says what that costs.
"""

import os
import time
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import httpx
import msgspec
from msgspec import Meta

from rstar_async.engines.errors import BadRequest, EngineFailed, Interrupted, ModelUnavailable
from rstar_async.errors import BadInput
from rstar_async.wire.payloads import Generate, Generated, Sample
from workers.engines.base import Counters, Statistics
from workers.engines.checkpoint import model_folder
from workers.engines.limits import check_generate
from workers.engines.options import check_url
from workers.engines.stops import Decode
from workers.engines.tokenizer import Encode, open_decoder, open_encoder

TOO_MANY_REQUESTS = 429
# What vLLM, llama.cpp and SGLang all say when they refuse a prompt for its length.
CONTEXT = "context"


class TooLong(BadRequest):
    """Prompt and `max_tokens` exceed what the server can take."""


class Choice(msgspec.Struct, frozen=True):
    """One sample. Only some servers name the stop: `stop_reason` vLLM, `matched_stop` SGLang."""

    text: str
    finish_reason: str | None = None
    stop_reason: int | str | None = None
    matched_stop: int | str | None = None

    @property
    def stop(self) -> int | str | None:
        return self.matched_stop if self.stop_reason is None else self.stop_reason


class Reply(msgspec.Struct, frozen=True):
    choices: list[Choice]


class ListedModel(msgspec.Struct, frozen=True):
    id: str


class ModelList(msgspec.Struct, frozen=True):
    data: list[ListedModel]


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


class OpenAIEngine:
    """The server knows a version by the version's name, or by `settings.served_as`: then the first
    version that is asked for is taken for that model, and any other version is refused."""

    def __init__(self, models_dir: Path, settings: OpenAISettings) -> None:
        self.models_dir = models_dir
        self.settings = settings
        self.counters = Counters()
        self._codecs: dict[str, tuple[Encode, Decode]] = {}
        key = os.environ.get(settings.api_key_env)
        self._http = httpx.AsyncClient(
            base_url=settings.url,
            headers={"Authorization": f"Bearer {key}"} if key else None,
            timeout=httpx.Timeout(None, connect=10.0),
            limits=httpx.Limits(max_connections=None),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    def statistics(self) -> Statistics:
        return Statistics(
            versions=tuple(self._codecs),
            requests=self.counters.requests,
            prompt_tokens=self.counters.prompt_tokens,
            new_tokens=self.counters.new_tokens,
        )

    async def generate(self, request: Generate) -> Generated:
        """Continue a prompt; cancelling closes the connection, which servers treat as an abort."""
        check_generate(request)
        if request.logprobs:
            raise BadRequest("the openai engine gives no log probabilities of ids")
        started = time.perf_counter()
        encode, decode = await self._codec(request.model)
        try:
            answer = await self._send("POST", "completions", self._body(request, decode))
        except TooLong:
            samples = [Sample([], "", "length")] * request.n
        else:
            choices = _read(answer, Reply).choices
            samples = [_sample(choice, request, encode, decode) for choice in choices]
        new = sum(len(sample.tokens) for sample in samples)
        self.counters.count(len(request.prompt), 0, new)
        seconds = time.perf_counter() - started
        return Generated(request.model, samples, len(request.prompt), 0, seconds)

    def _body(self, request: Generate, decode: Decode) -> dict[str, Any]:
        sampling = request.sampling
        stop_ids = list(sampling.stop_token_ids)
        body: dict[str, Any] = {
            "model": self.settings.served_as or request.model,
            "prompt": request.prompt if self.settings.prompts == "ids" else decode(request.prompt),
            "n": request.n,
            "seed": request.seed % 2**31,
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "stop": [*sampling.stop_texts, *(decode([id_]) for id_ in stop_ids)],
        }
        if stop_ids:  # tags are special tokens, which servers leave out of the text
            body |= {"stop_token_ids": stop_ids, "skip_special_tokens": False}
        return body

    async def _codec(self, version: str) -> tuple[Encode, Decode]:
        """The version's tokenizer, after a check that the server has the model."""
        if version not in self._codecs:
            folder = model_folder(self.models_dir, version)
            if self.settings.served_as and self._codecs:
                (bound,) = self._codecs
                raise ModelUnavailable(folder, f"{self.settings.served_as} serves {bound} already")
            await self._check_served(folder, self.settings.served_as or version)
            self._codecs[version] = open_encoder(folder), open_decoder(folder)
        return self._codecs[version]

    async def _check_served(self, folder: Path, name: str) -> None:
        names = [card.id for card in _read(await self._send("GET", "models"), ModelList).data]
        if name not in names:
            known = ", ".join(names)
            raise ModelUnavailable(folder, f"the server has no model {name!r}; it has {known}")

    async def _send(
        self, method: str, route: str, body: dict[str, Any] | None = None
    ) -> httpx.Response:
        try:
            answer = await self._http.request(method, route, json=body)
        except httpx.TransportError as error:
            raise EngineFailed(f"{self._http.base_url}{route}: {error}") from error
        status = answer.status_code
        if status == TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise Interrupted(f"{answer.url} answered {status}: {answer.text[:200]}")
        if status == httpx.codes.BAD_REQUEST and CONTEXT in answer.text.lower():
            raise TooLong(answer.text[:200])
        if status != httpx.codes.OK:
            raise BadRequest(f"{answer.url} answered {status}: {answer.text[:200]}")
        return answer


def _sample(choice: Choice, request: Generate, encode: Encode, decode: Decode) -> Sample:
    text, finish = choice.text, _finish(choice, request)
    if finish == "stop":
        stop = choice.stop
        ending = decode([stop]) if isinstance(stop, int) else str(stop)
        text = text if text.endswith(ending) else text + ending
    return Sample(encode(text), text, finish)


def _finish(choice: Choice, request: Generate) -> Literal["stop", "length", "eos"]:
    """A stop that the server does not name counts as the end of the text."""
    if choice.finish_reason == "length":
        return "length"
    if isinstance(choice.stop, int):
        return "stop" if choice.stop in request.sampling.stop_token_ids else "eos"
    return "eos" if choice.stop is None else "stop"


def _read(answer: httpx.Response, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.MsgspecError as error:
        raise EngineFailed(f"{answer.url} answered no completion: {error}") from error
