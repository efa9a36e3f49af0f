"""Python's garbage collector beside thousands of growing trees.

Nodes know their parents and their children, so a tree is a ring that only the collector can free,
and until then it walks all of them again and again: with its habits a node costs a fifth more in a
tree of 10,000 nodes, and twice as much beside a thousand trees.
"""

import gc

# New objects before a young collection (700), of those before a middle one (10), of those before
# a full one (10; a full one also waits until a quarter is new). In brackets Python's habits.
THRESHOLDS = (10_000, 20, 50)


def tune_gc() -> None:
    """For a process that searches: what is there now stays, the rest is walked less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
