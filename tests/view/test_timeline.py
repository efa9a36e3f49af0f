"""Where the time of a run went: from rounds, expansions and lines of activity to slices."""

import msgspec
import pytest

from rstar_async.coordinator.activity import FILE, ActivityLine, Samples, WorkerShare
from rstar_async.view import worker_activity
from rstar_async.view.timeline import MAX_LANES, phases_of, waiting, worked
from rstar_async.view.worker_activity import WorkerActivity, merged, thinned
from rstar_async.wire.messages import Counters, Status, WorkerStatus
from storage import queries
from storage.queries.timeline import SliceOfWaiting
from storage.records import Round
from tests.view.generated import RUN, START
from tests.view.test_http import get


def line(at, busy, *, seconds=10.0, committing=0.0, names=("inference-1",)):
    workers = [WorkerShare("inference", name, busy) for name in names]
    return ActivityLine(at, seconds, committing, workers)


def status(pool, **running):
    workers = [WorkerStatus(name, 4, jobs, 0.0) for name, jobs in running.items()]
    return Status(1, pool, b"e" * 8, 1.0, 0, 0, 0, 0, 0, 1, workers, Counters())


def test_samples_become_the_mean_share_of_each_worker():
    samples = Samples()
    samples.add({"executor": status("executor", a=4, b=0)}, is_committing=True)
    samples.add({"executor": status("executor", a=2, b=0)}, is_committing=False)
    found = samples.line(100.0, 2.0)
    assert found == ActivityLine(
        100.0, 2.0, 0.5, [WorkerShare("executor", "a", 0.75), WorkerShare("executor", "b", 0.0)]
    )


def test_a_line_counts_where_its_seconds_lie():
    (lane,), committing = worked([line(15.0, 0.5, committing=0.2)], 0.0, 40.0, 4)
    assert lane.busy == [0.5, 0.5, None, None]
    assert committing == [0.2, 0.2, None, None]


def test_a_closer_look_repeats_what_is_known():
    (lane,), _ = worked([line(10.0, 0.5), line(20.0, 1.0)], 8.0, 12.0, 4)
    assert lane.busy == [0.5, 0.5, 1.0, 1.0]


def test_of_many_workers_the_mean_is_shown():
    names = [f"inference-{number}" for number in range(MAX_LANES + 1)]
    lanes, _ = worked([line(10.0, 0.25, names=names)], 0.0, 10.0, 2)
    assert [(lane.name, lane.busy) for lane in lanes] == [("33 workers", [0.25, 0.25])]


def test_a_worker_that_a_line_lacks_did_nothing_then():
    both = merged(line(10.0, 1.0), line(20.0, 0.5, names=("inference-2",)))
    assert (both.at, both.seconds) == (20.0, 20.0)
    assert [worker.busy for worker in both.workers] == [0.5, 0.25]


def test_lines_are_not_merged_across_a_pause():
    lines = [line(10.0, 1.0), line(900.0, 1.0), line(910.0, 0.0), line(920.0, 1.0)]
    assert [(each.at, each.seconds) for each in thinned(lines)] == [(10, 10), (900, 10), (920, 20)]


def test_what_is_kept_of_a_long_run_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(worker_activity, "MAX_LINES", 10)
    lines = [line(10.0 * number, 0.5) for number in range(1, 301)]
    text = b"\n".join(map(msgspec.json.encode, lines))
    (tmp_path / FILE).write_bytes(text + b'\n{"at": 1}\n[not json\n')
    kept = WorkerActivity(tmp_path).lines()
    assert len(kept) <= 20
    assert sum(each.seconds for each in kept) == pytest.approx(3000.0)
    assert all(each.workers[0].busy == pytest.approx(0.5) for each in kept)


def test_lines_are_read_as_they_come(tmp_path):
    activity = WorkerActivity(tmp_path)
    assert activity.lines() == []
    with (tmp_path / FILE).open("ab") as file:
        file.write(msgspec.json.encode(line(10.0, 0.5)) + b'\n{"at": 20')
    assert [each.at for each in activity.lines()] == [10.0]


def test_what_is_still_going_on_ends_now_and_nothing_ends_before_it_began():
    rounds = [
        Round("r", 0, "closed", "", None, {}, 10.0, 20.0, 15.0, 30.0),
        Round("r", 1, "searching", "p", None, {}, 30.0),
    ]
    spans = [(s.kind, s.round, s.begin, s.end) for s in phases_of(rounds, 50.0)]
    assert spans == [
        ("searching", 0, 10.0, 20.0),
        ("training", 0, 20.0, 20.0),
        ("measuring", 0, 15.0, 30.0),
        ("searching", 1, 30.0, 50.0),
    ]


def test_waits_lie_before_what_was_waited_for():
    late = SliceOfWaiting(3, 2 * 20.0, 2 * 10.0, 0.0, 2, 80)
    generating, executing, scoring, made, tokens = waiting([late], 4, 10.0)
    assert generating == [1.0, 2.0, 1.0, 0.0]  # two searches from second 5 to 25
    assert executing == [0.0, 0.0, 1.0, 1.0]
    assert scoring == [0.0] * 4
    assert (made, tokens) == ([0, 0, 0, 2], [0, 0, 0, 80])


def test_what_was_complete_after_the_shown_time_was_waited_for_in_it():
    after = SliceOfWaiting(2, 20.0, 0.0, 0.0, 1, 40)
    generating, _, _, made, _ = waiting([after], 2, 10.0)
    assert generating == [0.5, 1.0]
    assert made == [0, 0]


def test_every_expansion_is_in_one_slice(store):
    rounds = store.read(queries.waiting_slices, RUN, START, 200.0, 50)
    all_at_once = store.read(queries.waiting_slices, RUN, START, 10_000.0, 1)
    assert sum(each.expansions for each in rounds) == all_at_once[0].expansions > 100
    assert sum(each.new_tokens for each in rounds) == all_at_once[0].new_tokens
    waited = sum(each.generate_seconds for each in rounds)
    assert waited == pytest.approx(0.8 * all_at_once[0].expansions)


async def test_the_answer_is_as_large_as_its_slices_and_lies_in_the_run(store):
    found = (await get(store, f"/api/runs/{RUN}/time?slices=12")).json()
    for name in ("generating", "executing", "scoring", "expansions", "tokens", "committing"):
        assert len(found[name]) == 12
    assert found["first"] == found["begin"] == START
    assert {span["kind"] for span in found["phases"]} == {"searching", "measuring", "training"}
    closer = f"/api/runs/{RUN}/time?slices=12&begin={START + 5}&end={START + 15}"
    assert (await get(store, closer)).json()["end"] == START + 15
    for wrong in ("slices=100000", "begin=nan", "end=x"):
        assert (await get(store, f"/api/runs/{RUN}/time?{wrong}")).status_code == 400
    assert (await get(store, "/api/runs/none/time")).status_code == 404
