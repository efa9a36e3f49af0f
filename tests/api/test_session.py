"""Sessions over real brokers and workers, with the scripted engine."""

import pytest
from msgspec import structs

from rstar_async import BadInput, Solution, open_session, search_one_async
from rstar_async.config import WorkersConfig
from rstar_async.launch.services import open_services
from tests.evaluation.scripted_run import DOUBTFUL, POLICY, PPM, make_run

QUESTION = "What is 3 + 4 + 5?"
SCRIPTED = {"workers.engine": "scripted", "search.max_tokens": 64}


async def test_many_questions_are_searched_in_one_session_and_equal_ones_alike(tmp_path):
    make_run(tmp_path / "run")
    options = {"rollouts": 12, "candidates": 6, "settings": SCRIPTED, "home": tmp_path / "kept"}
    async with open_session(tmp_path / "run", **options) as session:
        first = await session.search(QUESTION, answer="12")
        other = await session.search("What is 1 + 2?", answer="3")
        again = await session.search(QUESTION, answer="12")
        blind = await session.search(QUESTION)
    assert (first.answer, first.is_correct) == ("12", True)
    assert (other.answer, other.is_correct) == ("3", True)
    assert again.tree.nodes.keys() == first.tree.nodes.keys()
    assert blind.is_correct is None
    assert first.statistics.nodes == len(first.tree.nodes) - 1
    assert (tmp_path / "kept" / "rstar.db").is_file()


async def test_a_verifier_and_a_reward_are_asked_about_solutions(tmp_path):
    make_run(tmp_path / "run")
    seen: list[Solution] = []

    async def is_small(solution: Solution) -> bool | None:
        seen.append(solution)
        return int(solution.answer) < 12 if solution.answer else None

    def by_length(solution: Solution) -> float:
        return 1 / len(solution.steps)

    result = await search_one_async(
        QUESTION,
        tmp_path / "run",
        verifier=is_small,
        reward=by_length,
        rollouts=6,
        candidates=4,
        settings=SCRIPTED,
    )
    assert {solution.question for solution in seen} == {QUESTION}
    assert all(solution.output.strip() == solution.answer for solution in seen)
    for node in result.tree.nodes.values():
        if node.candidate.prior is not None:
            assert node.candidate.prior == 1 / node.depth
        if node.candidate.answer:
            assert node.candidate.is_correct == (int(node.candidate.answer) < 12)


async def test_a_reward_out_of_range_is_named(tmp_path):
    make_run(tmp_path / "run")
    with pytest.raises(BadInput, match="the reward function returned 7"):
        await search_one_async(QUESTION, tmp_path / "run", reward=lambda _: 7, settings=SCRIPTED)


async def test_the_workers_of_a_run_that_is_going_on_can_be_used(tmp_path):
    recipe = make_run(tmp_path / "run")
    serving = structs.replace(recipe, workers=WorkersConfig(engine="scripted"))
    async with open_services(serving):
        result = await search_one_async(
            QUESTION, tmp_path / "run", answer="12", rollouts=12, brokers=tmp_path / "run"
        )
        assert result.answer == "12"
        with pytest.raises(BadInput, match="have no model policy"):
            await search_one_async(QUESTION, "demo", brokers=tmp_path / "run")


async def test_a_ppm_that_is_not_trusted_does_not_guide_unless_it_is_named(tmp_path, caplog):
    make_run(tmp_path / "run", ppm_metrics=DOUBTFUL)
    options = {"rollouts": 3, "candidates": 3, "settings": SCRIPTED}
    without = await search_one_async(QUESTION, tmp_path / "run", **options)
    assert "trees are searched without it" in caplog.text
    assert {node.candidate.prior for node in without.tree.nodes.values()} == {None}
    named = {**options, "ppm": tmp_path / "run" / "models" / PPM}
    policy = tmp_path / "run" / "models" / POLICY
    guided = await search_one_async(QUESTION, policy, **named)
    assert {node.candidate.prior for node in guided.tree.nodes.values()} > {None}
