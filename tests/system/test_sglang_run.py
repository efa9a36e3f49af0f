"""A whole small run on real SGLang servers, one of which is killed in mid-search.

The run starts both servers itself. Afterwards everything in its store is held against transformers:
ids, stops, scores, which weights were used, and what the prefix cache served.
"""

import os
import signal
from pathlib import Path

import pytest

from benchmarks.chaos.tree_diff import Tree, read_trees
from rstar_async.search.models import ActiveModels
from storage import queries
from storage.database import open_database
from tests.system.test_whole_run import ask, processes_of, start, wait_until
from tests.workers.engines import oracle
from tests.workers.engines.sglang.server import LAUNCH, free_port, needs_sglang

# Three servers start, one of them a second time, and a round is trained in between.
pytestmark = [*needs_sglang, pytest.mark.slow]

SERVERS = (
    *("--workers.engine", "sglang", "--sglang.launch", LAUNCH),
    *("--sglang.policy_arguments", '["--dtype", "float32"]'),
    *("--sglang.ppm_arguments", '["--dtype", "float32"]'),
)
SEARCH = ("--search.rollouts=4", "--evaluation.rollouts=3", "--evaluation.candidates=3")
PATIENCE_SECONDS = 1500
SEARCHED = (
    "SELECT count(*) FROM nodes JOIN searches ON searches.id = search_id WHERE purpose = 'train'"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a finished run that lost its policy's server on the way."""
    folder = tmp_path_factory.mktemp("run")
    port = free_port()
    run = start(folder, *SERVERS, *SEARCH, "--sglang.port", str(port))
    wait_until(lambda: ask(folder, SEARCHED)[0][0] > 30, run, PATIENCE_SECONDS)
    (server,) = [
        pid
        for pid, command in processes_of(folder).items()
        if str(port) in command and "workers" not in command
    ]
    os.kill(server, signal.SIGKILL)
    said, _ = run.communicate(timeout=PATIENCE_SECONDS)
    assert run.returncode == 0, said
    assert "inference-1 ended (exit code 1)" in said
    assert processes_of(folder) == {}
    return folder / "home"


def trees_of(home: Path, purpose: str) -> list[Tree]:
    """Those of round 1, which lost its server in the search and was evaluated with new weights."""
    forest = read_trees(f"sqlite:///{home}/rstar.db", "small").values()
    return [t for t in forest if (t.search.round, t.search.purpose) == (1, purpose)]


def prompt_of(home: Path, tree: Tree) -> list[int]:
    models = ActiveModels.load(home / "models", tree.search.policy_id, tree.search.ppm_id)
    with open_database(f"sqlite:///{home}/rstar.db", must_exist=True) as database:
        problem = database.read(queries.problem_by_id, tree.search.problem_id)
    assert problem is not None
    return models.encoder.prompt(problem.question)


def test_the_search_survives_its_server(home: Path) -> None:
    train = trees_of(home, "train")
    assert {tree.search.status for tree in train} == {"finished"}
    assert sum(tree.lost + tree.twice + tree.delivered_twice for tree in train) == 0


def test_every_round_is_searched_with_its_own_weights(home: Path) -> None:
    before = {n.policy_id for tree in trees_of(home, "train") for n in tree.nodes}
    after = {n.policy_id for tree in trees_of(home, "evaluation") for n in tree.nodes}
    assert (len(before), len(after)) == (1, 1)
    assert before != after


def test_steps_end_at_their_stop_and_are_the_text_of_their_ids(home: Path) -> None:
    trees = [*trees_of(home, "train"), *trees_of(home, "evaluation")]
    encoder = ActiveModels.load(home / "models", trees[0].search.policy_id, None).encoder
    stops = set(encoder.stop_token_ids)
    nodes = [node for tree in trees for node in tree.nodes if node.depth]
    for node in nodes:
        tokens = list(node.tokens)
        assert encoder.decode(tokens) == node.text
        assert not stops & set(tokens[:-1])
        assert (tokens[-1:] != [] and tokens[-1] in stops) == (node.finish == "stop")
    assert sum(node.finish == "stop" for node in nodes) > len(nodes) / 2


def test_scores_are_those_of_transformers(home: Path) -> None:
    checked = 0
    for tree in trees_of(home, "evaluation"):
        prompt, nodes = prompt_of(home, tree), {node.path: node for node in tree.nodes}
        for node in [node for node in tree.nodes if node.score is not None][:6]:
            parts = node.path.split(".")
            line = [nodes[".".join(parts[: end + 1])] for end in range(1, len(parts))]
            ids = prompt + [t for n in line for t in (*n.tokens, *n.observation_tokens)]
            expected = oracle.value(home / "models" / tree.search.ppm_id, ids)
            assert node.score == pytest.approx(expected, abs=1e-5)
            checked += 1
    assert checked >= 10


def test_the_cache_serves_what_it_could(home: Path) -> None:
    """Of the evaluation, which began after the server that was killed had been replaced."""
    rows = [row for tree in trees_of(home, "evaluation") for row in tree.expansions]
    cached = sum(row.cached_tokens for row in rows)
    assert cached / sum(row.reachable_tokens for row in rows) >= 0.95
