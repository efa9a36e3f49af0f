import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from rstar_async.engines.errors import ModelUnavailable
from workers.engines.sglang.version_lock import VersionLock


class Stage:
    """Counts who is on it, per version, and remembers every change."""

    def __init__(self, refuse=()):
        self.turns = VersionLock(self._change)
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

    async def play(self, version):
        async with self.turns.use(version) as serving:
            assert serving == version.upper()
            self.users.append(version)
            assert set(self.users) == {version}
            try:
                await self.go.wait()
            finally:
                self.users.remove(version)


async def played(stage, *versions):
    """Start everyone, let all who can be on stage be there, and end."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stage.turns.run)
        async with trio.open_nursery() as players:
            for version in versions:
                players.start_soon(stage.play, version)
                await wait_all_tasks_blocked()
            yielded = list(stage.users)
            stage.go.set()
        nursery.cancel_scope.cancel()
    return yielded


async def test_one_version_serves_many_at_once_and_the_next_waits_for_them():
    stage = Stage()
    assert await played(stage, "a", "a", "b", "a", "b") == ["a", "a"]
    assert stage.changes == ["a", "b", "a"]


async def test_a_refused_version_is_told_to_its_own_and_the_old_one_stays():
    stage = Stage(refuse=("b",))
    stage.go.set()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stage.turns.run)
        await stage.play("a")
        with pytest.raises(ModelUnavailable):
            await stage.play("b")
        await stage.play("a")
        nursery.cancel_scope.cancel()
    assert stage.changes == ["a", "b"]


async def test_whoever_gives_up_waiting_does_not_hold_up_the_rest():
    stage = Stage()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stage.turns.run)
        async with trio.open_nursery() as players:
            players.start_soon(stage.play, "a")
            await wait_all_tasks_blocked()
            with trio.move_on_after(0):
                await stage.play("b")
            players.start_soon(stage.play, "a")
            await wait_all_tasks_blocked()
            stage.go.set()
        nursery.cancel_scope.cancel()
    assert set(stage.changes) == {"a"}


@pytest.mark.parametrize("steps", range(8))
async def test_whoever_is_cancelled_leaves_no_seat_taken_at_whatever_moment(steps):
    stage = Stage()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stage.turns.run)
        scope = trio.CancelScope()

        async def fickle():
            with scope:
                await stage.play("a")

        nursery.start_soon(fickle)
        for _ in range(steps):
            await trio.lowlevel.checkpoint()
        scope.cancel()
        stage.go.set()
        with trio.fail_after(5):
            await stage.play("b")
        nursery.cancel_scope.cancel()


async def test_a_forgotten_version_is_changed_to_again():
    stage = Stage()
    stage.go.set()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stage.turns.run)
        await stage.play("a")
        stage.turns.forget()
        await stage.play("a")
        nursery.cancel_scope.cancel()
    assert stage.changes == ["a", "a"]
