"""SGLang for policy and PPM, side by side on one card; stays until the last part that asks them.

What each takes of the card is a share of what is free when it starts, so they start one after the
other. `ManagedServer` compares the sums of each with those of the trainer.
"""

import time
from contextlib import AsyncExitStack
from functools import partial

import trio

from benchmarks.gpu.card import card_now
from benchmarks.gpu.findings import Findings
from benchmarks.gpu.place import POLICY, PPM, Place, ServerRole
from rstar_async.engines.sglang_servers import MEMORY_SAVER
from workers.engines.sglang.managed import ManagedServer
from workers.engines.sglang.model_folder import read_model_folder
from workers.engines.sglang.role import POLICY as POLICY_ROLE
from workers.engines.sglang.role import PPM as PPM_ROLE

ROLES = {POLICY: POLICY_ROLE, PPM: PPM_ROLE}


def measure(place: Place, findings: Findings) -> None:
    try:
        trio.run(partial(_serve, place, findings))
    except* KeyboardInterrupt:
        pass  # told to stop


async def _serve(place: Place, findings: Findings) -> None:
    async with AsyncExitStack() as stack:
        for role in (POLICY, PPM):
            await _start(place, findings, role, stack)
        place.ready("servers").touch()
        await trio.sleep_forever()


async def _start(place: Place, findings: Findings, role: ServerRole, stack: AsyncExitStack) -> None:
    saver = (MEMORY_SAVER,) if place.on_card else ()
    before = card_now().used if place.on_card else 0.0
    started = time.monotonic()
    server = ManagedServer(ROLES[role], place.command(role, *saver), place.ports[role])
    await stack.enter_async_context(server)
    await server.serve(read_model_folder(place.models / role, role))
    findings.note(f"{role} ready after", time.monotonic() - started, "s")
    if place.on_card:
        findings.note(f"memory of the {role}'s server", (card_now().used - before) / 1024, "GiB")
