"""Search one question with the demo's model: `python examples/search_one.py`."""

import rstar_async

result = rstar_async.search_one(
    "1) Tom has 12 coins. 2) He buys 5 coins. 3) How many coins does Tom have now?",
    model="demo",
    rollouts=4,
    candidates=4,
)
print(result.text)
print("answer:", result.answer)
print("cost:", result.statistics)
