"""TreeQuest's standard MCTS with a model that answers at once, under its own interpreter.

`step` copies the whole tree unless it is told not to, so it is measured both ways.
"""

import sys
import time

import treequest

CANDIDATES = 8
STEPS = {
    f"way {number}": lambda parent, score=number / CANDIDATES: ("a step", score)
    for number in range(CANDIDATES)
}


def grow(nodes: int, *, inplace: bool) -> float:
    """CPU seconds for a tree of so many nodes."""
    search = treequest.StandardMCTS(samples_per_action=1)
    state, started = search.init_tree(), time.process_time()
    for _ in range(nodes):
        state = search.step(state, STEPS, inplace=inplace)
    return time.process_time() - started


def main(nodes: int) -> None:
    for name, inplace in (("in place", True), ("as documented", False)):
        print(f"TreeQuest {name}\t{nodes}\t{grow(nodes, inplace=inplace)}")


main(int(sys.argv[1]))
