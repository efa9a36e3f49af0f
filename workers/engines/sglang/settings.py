"""The settings of the SGLang engine, and the server that they mean."""

import shlex
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from rstar_async.errors import BadInput
from workers.engines.options import check_url
from workers.engines.sglang.attached import AttachedServer
from workers.engines.sglang.command import INSTALLED, Command
from workers.engines.sglang.deployment import Deployment
from workers.engines.sglang.managed import ManagedServer
from workers.engines.sglang.role import Role


class SGLangSettings(msgspec.Struct, frozen=True, kw_only=True):
    """With `url`, of a server that runs already; without, of one that the worker starts."""

    url: Annotated[str, Meta(description="of a running server; without it one is started here")] = (
        ""
    )
    model: Annotated[
        str, Meta(description="serve this version at once; else when a job names one")
    ] = ""
    launch: Annotated[str, Meta(description="what starts a server, with {model} and {port}")] = ""
    port: Annotated[int, Meta(ge=0, description="of a server started here; 0: any free one")] = 0
    server_arguments: Annotated[
        str, Meta(description="more for a server started here, as one word")
    ] = ""
    server_models: Annotated[
        str, Meta(description="the folder --models as a running server sees it")
    ] = ""

    def check(self) -> None:
        """Refuse what could not work."""
        if not self.url:
            self._command().check()
            return
        check_url("--url", self.url)
        if self.server_arguments:
            raise BadInput("--server-arguments are for an SGLang server that is started here")

    def deployment(self, models: Path, role: Role) -> Deployment:
        """The server, for use as a context manager."""
        if not self.url:
            return ManagedServer(role, self._command(), self.port)
        there = Path(self.server_models) if self.server_models else None
        return AttachedServer(role, self.url, models, there)

    def _command(self) -> Command:
        return Command(self.launch or INSTALLED, tuple(shlex.split(self.server_arguments)))
