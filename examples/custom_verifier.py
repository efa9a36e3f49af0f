"""Search with a verifier of your own, which decides what is right: no gold answer is needed.

`python examples/custom_verifier.py`
"""

import rstar_async


def is_even(solution: rstar_async.Solution) -> bool | None:
    """Right if the answer is an even number; undecided if it is no number."""
    return int(solution.answer) % 2 == 0 if solution.answer.isdigit() else None


result = rstar_async.search_one(
    "1) Tom has 12 coins. 2) He buys 6 coins. 3) How many coins does Tom have now?",
    model="demo",
    verifier=is_even,
    rollouts=4,
    candidates=4,
)
print(result.text)
print("answer:", result.answer, "right:", result.is_correct)
