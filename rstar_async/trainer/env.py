"""What must be set before torch is imported."""

import os

from rstar_async.trainer.host_memory import keep_freed_memory


def set_environment() -> None:
    """One GPU for a single process, OpenMP threads that sleep while they wait, and memory that is
    reused from pass to pass."""
    if "LOCAL_RANK" not in os.environ:
        # With several visible GPUs, the Hugging Face trainers would use DataParallel.
        os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")
    # On a busy machine, threads that spin made training several times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    keep_freed_memory()
