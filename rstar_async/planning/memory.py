"""How much memory and disk a model of a given size takes, by arithmetic. Pure; in bytes.

Training holds the weights, their gradients and the two moments of Adam: 16 bytes a parameter in
float32, 6 with bfloat16 weights and 8-bit moments. With LoRA the weights alone, and float32
weights, gradients and moments of the adapters. Activations are those of one forward pass. With
checkpointing a layer keeps one vector a token; without it, as by default on CPUs, all that the
backward pass reads. The scores of all tokens over the vocabulary come on top.
"""

from dataclasses import dataclass

from rstar_async.config import LoRAConfig, Recipe, TrainingConfig
from rstar_async.planning.model_size import ModelSize

GIB = 2**30
MIB = 2**20
WIDTHS = {"float32": 4, "bfloat16": 2, "int8": 1}
FLOAT32, BFLOAT16 = WIDTHS["float32"], WIDTHS["bfloat16"]
MOMENTS = {"adamw": 2 * FLOAT32, "adamw_8bit": 2}
# What Python with torch takes beside the weights; without torch.
TORCH_PROCESS, PLAIN_PROCESS = 450 * MIB, 80 * MIB
# Logits are held as bfloat16 or float32, once more for the loss and once for its gradient.
LOGITS = 3 * FLOAT32
# Vectors that a layer keeps for a token without checkpointing, as measured in SmolLM2-135M.
KEPT_BY_A_LAYER = 24
# A stored node with its texts and tokens, by a store of a million of them.
NODE_BYTES = 460


@dataclass(frozen=True, slots=True)
class Training:
    """Memory of one training process."""

    weights: int
    activations: int

    @property
    def total(self) -> int:
        return self.weights + self.activations + TORCH_PROCESS


def serving(size: ModelSize, recipe: Recipe, *, on_gpu: bool, ppm: bool = False) -> int:
    """Weights and prefix cache of one process that serves the policy, or the PPM.

    On a CPU a policy's head that shares its weight with the embedding is held once more.
    """
    dtype = recipe.model.dtype
    if dtype in ("auto", "fastest"):  # the most that either takes
        dtype = "bfloat16" if on_gpu else "float32"
    if dtype == "int8" and ppm:
        dtype = "float32"
    weights, embeddings = size.parameters * WIDTHS[dtype], size.vocabulary * size.width
    if dtype == "int8":  # embeddings and head stay as they are
        weights += embeddings * (FLOAT32 - WIDTHS[dtype])
    if not on_gpu and not ppm:
        weights += embeddings * FLOAT32
    return weights + recipe.workers.cache_mib * MIB + TORCH_PROCESS


def policy_training(
    size: ModelSize, recipe: Recipe, solution_tokens: int, *, on_gpu: bool = True
) -> Training:
    """SFT of the policy on solutions of so many tokens, prompts included."""
    tokens = recipe.policy.micro_batch * min(solution_tokens, recipe.policy.max_length)
    weights = _trained(size, recipe.training, recipe.policy.lora)
    checkpointing = recipe.training.has_gradient_checkpointing(on_gpu)
    return Training(weights, _activations(size, tokens, checkpointing=checkpointing, logits=True))


def ppm_training(size: ModelSize, recipe: Recipe, *, on_gpu: bool = True) -> Training:
    """Training of the PPM: one row of trees a pass, a head in place of the logits."""
    tokens = min(recipe.ppm.max_tokens, 4 * recipe.ppm.max_length)
    weights = _trained(size, recipe.training, recipe.ppm.lora)
    checkpointing = recipe.training.has_gradient_checkpointing(on_gpu)
    return Training(weights, _activations(size, tokens, checkpointing=checkpointing, logits=False))


def disk(size: ModelSize, recipe: Recipe, nodes: int) -> int:
    """The run's folder at its end: versions, one checkpoint, the store."""
    kinds = int(recipe.policy.train) + int(recipe.ppm.train)
    rounds = len(recipe.rounds)
    kept = min(rounds, recipe.training.keep_versions or rounds)
    versions = 1 + (recipe.bootstrap.kind == "demonstrations") + kinds * kept
    checkpoint = _checkpoint(size, recipe) if recipe.training.checkpoint_seconds else 0
    return size.parameters * FLOAT32 * versions + checkpoint + nodes * NODE_BYTES


def gib(amount: float) -> str:
    """`1.5 GiB`, `310 MiB`."""
    return f"{amount / GIB:,.1f} GiB" if amount >= GIB else f"{amount / MIB:,.0f} MiB"


def _trained(size: ModelSize, training: TrainingConfig, lora: LoRAConfig) -> int:
    """Weights, gradients and moments."""
    held, moments = WIDTHS[training.weights], MOMENTS[training.optimizer]
    if not lora.rank:
        return (2 * held + moments) * size.parameters
    return held * size.parameters + (2 * FLOAT32 + moments) * _adapters(size, lora)


def _checkpoint(size: ModelSize, recipe: Recipe) -> int:
    """The larger of both trainings': trained weights and their moments."""
    trained = [one.lora for one in (recipe.policy, recipe.ppm) if one.train]
    return max((_saved(size, recipe.training, lora) for lora in trained), default=0)


def _saved(size: ModelSize, training: TrainingConfig, lora: LoRAConfig) -> int:
    moments = MOMENTS[training.optimizer]
    if not lora.rank:
        return (WIDTHS[training.weights] + moments) * size.parameters
    return (FLOAT32 + moments) * _adapters(size, lora)


def _adapters(size: ModelSize, lora: LoRAConfig) -> int:
    """Parameters of a LoRA of rank r on linear layers of width w: about 2 r / w of theirs."""
    share = min(1.0, 2 * lora.rank / size.width) if size.width else 0.02
    return int(share * size.parameters)


def _activations(size: ModelSize, tokens: int, *, checkpointing: bool, logits: bool) -> int:
    """With gradient checkpointing: the inputs of all layers, and one layer in full."""
    vectors = size.layers + 16 if checkpointing else size.layers * KEPT_BY_A_LAYER
    kept = tokens * size.width * FLOAT32 * vectors
    return kept + (tokens * size.vocabulary * LOGITS if logits else 0)
