"""What the environment must say before torch is imported."""

import os


def set_environment() -> None:
    """One GPU for a process that trains alone, and threads that sleep while they wait."""
    if "LOCAL_RANK" not in os.environ:
        # Seeing several GPUs in one process, the Hugging Face trainers would split rows over them.
        os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")
    # Spinning threads made a training on a busy machine several times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
