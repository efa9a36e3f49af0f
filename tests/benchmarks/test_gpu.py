"""What `benchmarks.gpu` decides and computes, without processes, servers and cards."""

import importlib.util
import math
from pathlib import Path

import msgspec
import pytest
import trio
import trio.testing

from benchmarks.gpu.card import Card, parse_card
from benchmarks.gpu.findings import Finding, Findings, read_findings
from benchmarks.gpu.lockstep import Lockstep
from benchmarks.gpu.page import BEGIN, END, with_table
from benchmarks.gpu.plan import (
    DONE,
    PARTS,
    Outcome,
    Part,
    chosen,
    last_user,
    obstacle,
    report_outcomes,
    seconds_for,
)
from benchmarks.gpu.random_trees import CANDIDATES, DEPTH, PROMPT, STEP, random_trees
from benchmarks.gpu.recording import Answered, steady_rate
from benchmarks.report import Claim, Document, Machine, open_report
from rstar_async.errors import BadInput, RstarError

CUDA = Part("attention", 60, ("card",), ("models",))


def test_a_part_says_what_the_machine_lacks_before_what_failed() -> None:
    assert obstacle(CUDA, (), ()) == "needs a card"
    assert obstacle(CUDA, ("card",), ()) == "not run: it uses what models gives"
    assert obstacle(CUDA, ("card",), ("models",)) is None


def test_a_part_gets_its_limit_or_what_is_left() -> None:
    assert seconds_for(CUDA, 500) == 60
    assert seconds_for(CUDA, 500, patience=2) == 120
    assert seconds_for(CUDA, 40) == 40
    assert seconds_for(CUDA, 5) is None


def test_every_part_has_its_module_and_comes_after_what_it_uses() -> None:
    seen: set[str] = set()
    for part in PARTS:
        assert importlib.util.find_spec(f"benchmarks.gpu.parts.{part.name}") is not None
        assert seen.issuperset(part.after)
        seen.add(part.name)


def test_a_chosen_part_brings_what_it_uses() -> None:
    assert [part.name for part in chosen(["barrier"])] == ["models", "servers", "search", "barrier"]
    assert chosen([]) == list(PARTS)


def test_servers_stop_after_the_last_part_that_asks_them() -> None:
    (servers,) = [part for part in PARTS if part.stays]
    assert last_user(PARTS, servers) == "sharing"
    assert last_user([servers, CUDA], servers) == "servers"


@pytest.mark.parametrize(
    ("said", "code"), [(DONE, 0), ("needs a card", 0), ("needs SGLang", 0), ("failed: why", 1)]
)
def test_a_failed_part_is_an_exit_code_and_a_missing_card_is_not(said: str, code: int) -> None:
    report = open_report("", ["--json"])
    report_outcomes(report, [Outcome(CUDA, said, 1.0, [])])
    assert report.rows == [{"part": "attention", "figure": said, "value": 1.0, "unit": "s"}]
    assert report.close() == code


def test_a_figure_with_a_target_is_a_claim_also_of_a_part_that_failed() -> None:
    report = open_report("", ["--json"])
    found = [Finding("share", 0.5, "", ">=", 0.9), Finding("card", "H200")]
    report_outcomes(report, [Outcome(CUDA, "failed: why", 1.0, found)])
    assert report.claims[0] == Claim("attention: share", 0.5, "", ">= 0.9", False)
    assert [row["value"] for row in report.rows] == [1.0, 0.5, "H200"]


def test_figures_come_back_as_they_were_written_and_what_is_no_number_holds_nowhere(
    tmp_path: Path,
) -> None:
    findings = Findings(tmp_path / "part.jsonl", on_card=True)
    findings.note("problems", 12)
    findings.claim("the same", True, "", "==", 1)
    findings.claim_on_card("share", float("nan"), "", ">=", 0.9)
    found = read_findings(tmp_path / "part.jsonl")
    assert [one.value for one in found] == [12, 1.0, None]
    report = open_report("", ["--json"])
    report_outcomes(report, [Outcome(CUDA, DONE, 1.0, found)])
    assert [claim.holds for claim in report.claims] == [True, False, True]


def test_the_rate_leaves_out_the_start_and_the_stragglers() -> None:
    steady = [Answered(float(second), 8) for second in range(100)]
    assert steady_rate(steady) == 8
    straggling = [*steady[:90], *(Answered(1000.0 * second, 8) for second in range(90, 100))]
    assert steady_rate(straggling) == 8
    assert math.isnan(steady_rate(steady[:1]))


class Pool:
    """Answers each request when told to."""

    def __init__(self) -> None:
        self.cancelled: list[str] = []
        self.may_answer = {tree: trio.Event() for tree in "abc"}

    async def request(self, tree: str) -> str:
        await self.may_answer[tree].wait()
        return tree

    def cancel_group(self, group: str) -> None:
        self.cancelled.append(group)


async def test_no_tree_goes_on_before_all_have_their_candidates() -> None:
    pool, got = Pool(), list[str]()
    lockstep = Lockstep(pool, trees=3, in_flight=2)

    async def step(tree: str) -> None:
        got.append(await lockstep.request(tree))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(step, "a")
        nursery.start_soon(step, "b")
        pool.may_answer["a"].set()
        await trio.testing.wait_all_tasks_blocked()
        assert got == []
        pool.may_answer["b"].set()
        await trio.testing.wait_all_tasks_blocked()
        assert sorted(got) == ["a", "b"]


async def test_a_tree_that_has_ended_is_not_waited_for() -> None:
    pool, got = Pool(), list[str]()
    lockstep = Lockstep(pool, trees=2, in_flight=2)

    async def step(tree: str) -> None:
        got.append(await lockstep.request(tree))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(step, "a")
        pool.may_answer["a"].set()
        await trio.testing.wait_all_tasks_blocked()
        assert got == []
        lockstep.cancel_group("b")
        await trio.testing.wait_all_tasks_blocked()
        assert got == ["a"]
    assert pool.cancelled == ["b"]


def test_a_line_of_nvidia_smi_is_a_card_and_anything_else_is_said() -> None:
    line = "NVIDIA H200, 570.86.15, 143771, 512\n"
    assert parse_card(line) == Card("NVIDIA H200", "570.86.15", 143771.0, 512.0)
    with pytest.raises(RstarError, match=r"nvidia-smi answers '.*N/A"):
        parse_card("NVIDIA H200, 570.86.15, [N/A], 512")


def test_random_trees_are_packed_whole() -> None:
    (tree,) = random_trees(1, vocabulary=50, longest=10**6)
    assert len(tree.input_ids) == PROMPT + DEPTH * CANDIDATES * STEP
    assert len(tree.pairs) == DEPTH * (CANDIDATES - 1)
    assert max(tree.input_ids) < 50


def document() -> Document:
    machine = Machine("2026-01-01", 16, 128.0, 0.5, "6.1", {"torch": "2.13.0"})
    return Document(machine, [{"part": "card", "value": 1.5}], [])


def test_the_table_of_a_page_is_replaced_and_the_rest_is_not() -> None:
    page = f"# On a GPU\n\n{BEGIN}\nold\n{END}\n\nmore\n"
    new = with_table(page, document())
    assert "| card | 1.5 |" in new
    assert "old" not in new
    assert with_table(new, document()) == new
    assert new.startswith("# On a GPU\n\n")
    assert new.endswith("\n\nmore\n")


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(BadInput, match="must have the lines"):
        with_table("# On a GPU\n", document())


def test_the_document_of_a_report_can_be_read_again() -> None:
    report = open_report("", ["--json"])
    report.row(part="card", value=1.5)
    encoded = msgspec.json.encode(report.document())
    assert msgspec.json.decode(encoded, type=Document).rows == [{"part": "card", "value": 1.5}]
