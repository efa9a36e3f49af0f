"""LLM Reasoners' MCTS with a model that answers at once, under its own interpreter."""

import sys
import time

from reasoners import SearchConfig, WorldModel
from reasoners.algorithm import MCTS

CANDIDATES, DEPTH = 8, 8


class Steps(WorldModel):
    """A state is the list of steps so far."""

    def init_state(self):
        return []

    def step(self, state, action):
        return [*state, action], {}

    def is_terminal(self, state):
        return len(state) >= DEPTH


class Canned(SearchConfig):
    """Eight next steps, each with its value."""

    def get_actions(self, state):
        return [f"step {len(state)}, way {number}" for number in range(CANDIDATES)]

    def fast_reward(self, state, action):
        return int(action[-1]) / CANDIDATES, {}

    def reward(self, state, action, **details):
        return int(action[-1]) / CANDIDATES, {}


def size(node) -> int:
    return 1 + sum(map(size, node.children or ()))


def main(nodes: int) -> None:
    iterations, grown, seconds = nodes // CANDIDATES // DEPTH, 0, 0.0
    while grown < nodes:
        search = MCTS(depth_limit=DEPTH, n_iters=iterations, output_strategy="last_iter")
        started = time.process_time()
        result = search(Steps(), Canned())
        seconds = time.process_time() - started
        grown, iterations = size(result.tree_state) - 1, iterations * 2
    print(f"LLM Reasoners\t{grown}\t{seconds}")


main(int(sys.argv[1]))
