"""A server that the worker starts: weights are exchanged in place, or the server is restarted.

It is started when the first job names a version, for only then is there a model to serve. It dies
with this process, however it ends.
"""

import logging
import os
import socket
from contextlib import AsyncExitStack

import trio

from rstar_async.engines.errors import EngineFailed, ModelUnavailable
from rstar_async.engines.sglang_client import SGLangClient
from rstar_async.errors import BadInput
from rstar_async.launch.child import Child, describe_end
from rstar_async.launch.processes import ProcessSpec
from workers.engines.sglang.command import Command
from workers.engines.sglang.deployment import Deployment
from workers.engines.sglang.model_folder import ModelFolder
from workers.engines.sglang.role import Role

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5
START_SECONDS = 1800.0  # weights of tens of gigabytes from a slow disk, then CUDA graphs
GRACE_SECONDS = 10.0


class OwnStderr:
    """The server writes to this process's stderr."""

    def open(self) -> int:
        return os.dup(2)


class ManagedServer(Deployment):
    """`port` 0 means any free one."""

    def __init__(self, role: Role, command: Command, port: int = 0) -> None:
        super().__init__(role)
        self._command = command
        self._port = port
        self._child: Child | None = None
        self._server: SGLangClient | None = None
        self._serving: ModelFolder | None = None
        # The child whose end is a failure, and the scope of its health checks.
        self._required: Child | None = None
        self._watch_scope = trio.CancelScope()

    @property
    def server(self) -> SGLangClient:
        assert self._server is not None
        return self._server

    async def _open(self, stack: AsyncExitStack) -> None:
        """No server yet: there is no model to serve."""
        self._command.check()
        if self._port and not _is_free(self._port):
            raise BadInput(f"port {self._port} is taken; give SGLang another")
        stack.push_async_callback(self._stop)

    async def _current(self) -> ModelFolder | None:
        return self._serving

    def _check_exchange(self, current: ModelFolder | None, new: ModelFolder) -> None:
        """A server that cannot take the weights is replaced."""

    async def _install(self, current: ModelFolder | None, new: ModelFolder) -> None:
        self._serving = None
        if current is not None and new.replaces(current):
            await self._exchange(new, new.path)
        else:
            await self._stop()
            await self._start(new)
        self._serving = new

    async def _start(self, model: ModelFolder) -> None:
        port = self._port or _free_port()
        argv = self._command.argv(model.path, port, self.role.arguments)
        log.info("starting SGLang", extra={"command": " ".join(argv)})
        spec = ProcessSpec(name="sglang", argv=argv, grace_seconds=GRACE_SECONDS)
        self._child = child = Child.start(spec, OwnStderr())
        self._nursery.start_soon(self._reap, child)
        self._server = server = SGLangClient(f"http://127.0.0.1:{port}")
        await server.__aenter__()
        await self._wait_until_healthy(child, server, model)
        await self.role.check(server)
        await server.name_weights(model.version)
        self._required = child
        self._watch_scope = trio.CancelScope()
        self._nursery.start_soon(self._watch, server, self._watch_scope)

    async def _wait_until_healthy(
        self, child: Child, server: SGLangClient, model: ModelFolder
    ) -> None:
        with trio.move_on_after(START_SECONDS):
            while not await server.is_healthy():
                await trio.sleep(POLL_SECONDS)
                if child.gone.is_set():
                    end = describe_end(child.reap())
                    raise ModelUnavailable(model.path, f"SGLang ended with it ({end}); see the log")
            return
        raise ModelUnavailable(model.path, f"SGLang was not ready after {START_SECONDS:g} s")

    async def _reap(self, child: Child) -> None:
        """Shielded: `_stop` relies on it, also when everything is being cancelled."""
        with trio.CancelScope(shield=True):
            code = await child.wait()
        if self._required is child:
            raise EngineFailed(f"SGLang ended: {describe_end(code)}")

    async def _watch(self, server: SGLangClient, life: trio.CancelScope) -> None:
        with life:
            await server.watch()

    async def _stop(self) -> None:
        self._required = None
        self._watch_scope.cancel()
        server, self._server = self._server, None
        child, self._child = self._child, None
        with trio.CancelScope(shield=True):
            if server is not None:
                await server.__aexit__(None, None, None)
            if child is not None:
                await child.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
