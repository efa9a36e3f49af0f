"""Settings of Python's garbage collector for processes that hold many small objects.

Nodes refer to their parents and children, so trees are reference cycles, which the collector walks
again and again. With Python's thresholds a node costs a fifth more in a tree of 10,000 nodes, and
twice as much beside a thousand trees; a job costs a broker's client and worker a fifth more. Not
for processes with models: a cycle can hold tensors.
"""

import gc

# New objects before a young collection (Python: 700), young collections before a middle one (10),
# middle collections before a full one (10, which also waits until a quarter of all is new).
THRESHOLDS = (10_000, 20, 50)


def tune_gc() -> None:
    """Never walk the objects that exist now, and walk new ones less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
