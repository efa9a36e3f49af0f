"""Search guided by a reward of your own in place of a PPM: `python examples/custom_reward.py`."""

import rstar_async


def prefers_short_steps(solution: rstar_async.Solution) -> float:
    """From 1 for a very short last step down to -1."""
    return max(-1.0, 1.0 - len(solution.steps[-1]) / 100)


result = rstar_async.search_one(
    "1) Tom has 12 coins. 2) He buys 5 coins. 3) How many coins does Tom have now?",
    model="demo",
    reward=prefers_short_steps,
    rollouts=4,
    candidates=4,
)
for node in result.path:
    print(f"Q {node.q:+.2f}  {node.candidate.text.strip()}")
print("answer:", result.answer)
