"""What a server is for: it generates as a policy or scores as a PPM, never both."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rstar_async.engines.errors import EngineFailed
from rstar_async.engines.sglang_client import SGLangClient
from rstar_async.wire.payloads import TokenIds
from workers.engines.sglang import protocol


@dataclass(frozen=True, slots=True)
class Role:
    """`measure` gives the number that a manifest's probe holds for a sequence; `arguments` go to a
    server that is started for this role."""

    name: str
    generates: bool
    measure: Callable[[SGLangClient, TokenIds], Awaitable[float]]
    arguments: tuple[str, ...] = ()

    async def check(self, server: SGLangClient) -> None:
        """Refuse a server of the other role before anything is sent: one request for text ends a
        server that was started to score."""
        if (await server.model_info()).is_generation != self.generates:
            wanted = "without" if self.generates else "with"
            reason = f"start it {wanted} --is-embedding"
            raise EngineFailed(f"SGLang at {server.url} cannot be the {self.name}: {reason}")


async def _logprob(server: SGLangClient, ids: TokenIds) -> float:
    return protocol.probed(await server.generate(protocol.probe(ids)))


async def _raw_score(server: SGLangClient, ids: TokenIds) -> float:
    return (await server.classify([ids]))[0].embedding[0]


POLICY = Role("policy", True, _logprob)
PPM = Role("PPM", False, _raw_score, ("--is-embedding",))
