import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from rstar_async.engines.errors import ModelUnavailable
from workers.engines.sglang.version_lock import VersionLock


class Usage:
    """Records the users of each version and every change of version."""

    def __init__(self, refuse=()):
        self.lock = VersionLock(self._change)
        self.changes = []
        self.users = []
        self.go = trio.Event()
        self._refuse = refuse

    async def _change(self, version):
        assert self.users == []
        await trio.lowlevel.checkpoint()
        self.changes.append(version)
        if version in self._refuse:
            raise ModelUnavailable(version, "refused")
        return version.upper()

    async def use(self, version):
        async with self.lock.use(version) as serving:
            assert serving == version.upper()
            self.users.append(version)
            assert set(self.users) == {version}
            try:
                await self.go.wait()
            finally:
                self.users.remove(version)


async def used(usage, *versions):
    """Start a task for each version; the versions in use once all tasks block."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(usage.lock.run)
        async with trio.open_nursery() as tasks:
            for version in versions:
                tasks.start_soon(usage.use, version)
                await wait_all_tasks_blocked()
            yielded = list(usage.users)
            usage.go.set()
        nursery.cancel_scope.cancel()
    return yielded


async def test_one_version_serves_many_at_once_and_the_next_waits_for_them():
    usage = Usage()
    assert await used(usage, "a", "a", "b", "a", "b") == ["a", "a"]
    assert usage.changes == ["a", "b", "a"]


async def test_a_refused_version_fails_its_own_users_and_the_old_one_stays():
    usage = Usage(refuse=("b",))
    usage.go.set()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(usage.lock.run)
        await usage.use("a")
        with pytest.raises(ModelUnavailable):
            await usage.use("b")
        await usage.use("a")
        nursery.cancel_scope.cancel()
    assert usage.changes == ["a", "b"]


async def test_a_task_that_gives_up_waiting_does_not_delay_the_others():
    usage = Usage()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(usage.lock.run)
        async with trio.open_nursery() as tasks:
            tasks.start_soon(usage.use, "a")
            await wait_all_tasks_blocked()
            with trio.move_on_after(0):
                await usage.use("b")
            tasks.start_soon(usage.use, "a")
            await wait_all_tasks_blocked()
            usage.go.set()
        nursery.cancel_scope.cancel()
    assert set(usage.changes) == {"a"}


@pytest.mark.parametrize("steps", range(8))
async def test_a_task_cancelled_at_any_moment_does_not_stay_a_user(steps):
    usage = Usage()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(usage.lock.run)
        scope = trio.CancelScope()

        async def fickle():
            with scope:
                await usage.use("a")

        nursery.start_soon(fickle)
        for _ in range(steps):
            await trio.lowlevel.checkpoint()
        scope.cancel()
        usage.go.set()
        with trio.fail_after(5):
            await usage.use("b")
        nursery.cancel_scope.cancel()


async def test_an_invalidated_version_is_loaded_again():
    usage = Usage()
    usage.go.set()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(usage.lock.run)
        await usage.use("a")
        usage.lock.invalidate()
        await usage.use("a")
        nursery.cancel_scope.cancel()
    assert usage.changes == ["a", "a"]
