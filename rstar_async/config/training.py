"""Training of policy and PPM: data, computation, and the gate for new models."""

from typing import Annotated, Literal

from msgspec import Meta

from rstar_async.config.base import (
    Amount,
    Count,
    Dtype,
    Epochs,
    LearningRate,
    Processes,
    SecondsOrNone,
    Section,
    Share,
    WeightDecay,
)

Schedule = Literal["linear", "cosine", "constant"]
Objective = Literal["preference", "pqm", "orm"]
PairLoss = Literal["pairwise", "bce", "both"]
ScoreAt = Literal["differing_tokens", "last_token"]
History = Literal["round", "all"]


class FiltersConfig(Section):
    """Which solved problems are left out of training."""

    # Sources of synthetic problems, whose given answer may be wrong: file names as in `source`.
    synthetic: tuple[str, ...] = ()
    # Leave out a synthetic problem if fewer of its answers are right than this (paper: 0.5).
    min_accuracy: Share = 0.0


class TrainingConfig(Section):
    """How both trainings compute; their data and hyperparameters are in `policy` and `ppm`."""

    # Data type of computation. auto: float32 on CPUs, bfloat16 on GPUs; fastest: bfloat16 also on
    # CPUs that are measured to be faster in it.
    dtype: Dtype = "auto"
    # Data type in which weights and gradients are held; adapters, and what is published, are
    # float32 in any case. bfloat16 halves them, and all weights then need the 8-bit optimizer,
    # which rounds stochastically: steps of a small learning rate would be rounded away.
    weights: Literal["float32", "bfloat16"] = "float32"
    # AdamW with its two moments in float32, or in 8 bits by the package torchao.
    optimizer: Literal["adamw", "adamw_8bit"] = "adamw"
    # Recompute activations instead of keeping them. auto: on GPUs.
    gradient_checkpointing: Literal["auto", "on", "off"] = "auto"
    # How trees are masked: auto is flex (needs a GPU) where it can be, else dense.
    tree_attention: Literal["auto", "dense", "flex"] = "auto"
    # Fused kernels of the package liger-kernel, on GPUs.
    liger: bool = False
    # Threads of each training process. Other processes wait meanwhile, so this may be all cores.
    threads: Processes = 1
    # Processes that train together, one per GPU, started by torchrun.
    processes: Processes = 1
    # How they share a model: each holds all of it (ddp) or a shard (fsdp). auto: fsdp on GPUs.
    sharding: Literal["auto", "ddp", "fsdp"] = "auto"
    # Seconds between checkpoints, from which a killed training resumes; 0: no checkpoints.
    checkpoint_seconds: SecondsOrNone = 300.0
    # Curves for TensorBoard, in `<home>/training/tensorboard`.
    tensorboard: bool = False
    # Project of Weights & Biases to report to; empty means nothing leaves this machine.
    wandb: str = ""
    # OWNER/NAME on a model hub: every published version is uploaded to the private repositories
    # NAME-policy and NAME-ppm; empty means nothing leaves this machine.
    hub: str = ""
    # How many published versions of each kind keep their weights, besides those in use; 0: all.
    keep_versions: Amount = 0

    def has_gradient_checkpointing(self, on_gpu: bool) -> bool:
        """Whether activations are recomputed, on a GPU or on a CPU."""
        return self.gradient_checkpointing == "on" or (
            self.gradient_checkpointing == "auto" and on_gpu
        )


class LoRAConfig(Section):
    """Low-rank adapters in all linear layers, merged into the weights before publishing."""

    # 0 trains all weights.
    rank: Annotated[int, Meta(ge=0, le=65536)] = 0
    # The adapters are scaled by alpha / rank.
    alpha: Annotated[float, Meta(gt=0, le=65536)] = 32.0
    # Share of the adapters' inputs that is dropped in training.
    dropout: Share = 0.0


class PolicyConfig(Section):
    """SFT of the policy, from the base model in every round (paper section 3.4)."""

    # Off: every round searches with the policy of the bootstrap.
    train: bool = True
    # "demonstrations" leaves the round's own solutions out, as a control in experiments.
    learn_from: Literal["trajectories", "demonstrations"] = "trajectories"
    # How many right solutions of a problem are learnt from, best first (paper: 2).
    trajectories_per_problem: Count = 2
    # "random" takes any right solutions in place of the best, as a control in experiments.
    pick: Literal["best", "random"] = "best"
    # Use each distinct program once, even if it was found several times. Off in the reference.
    distinct: bool = True
    # Leave out solutions with the word "error" in them, after the best were picked (reference).
    drop_errors: bool = False
    # Which rounds' trajectories: only the newest, or all so far (newest first per problem).
    history: History = "round"
    # Learn nothing from the problems that measure the PPM (`ppm.heldout_share`); auto: if it starts
    # from the policy, to which they would not be new, and has to earn its trust on them.
    skip_heldout: Literal["auto", "on", "off"] = "auto"
    # Demonstrations mixed in against forgetting what the bootstrap knew.
    replay: Amount = 0
    # "base" retrains from the base model (paper); "bootstrap" from the bootstrap policy;
    # "previous" goes on from the last round's, which costs the least and keeps its errors.
    start: Literal["base", "bootstrap", "previous"] = "base"
    # Passes over the round's solutions.
    epochs: Epochs = 2.0
    # Peak learning rate. Small models and LoRA want more, such as 1e-4.
    learning_rate: LearningRate = 7e-6
    # How the learning rate falls.
    schedule: Schedule = "linear"
    # Solutions per optimiser step (paper: 128, for a thousand times as many as a small run finds).
    batch_size: Count = 16
    # Sequences per forward pass; the batch is accumulated.
    micro_batch: Count = 8
    # Longer trajectories are left out; truncated ones would teach to stop in the middle.
    max_length: Count = 4096
    # Of AdamW.
    weight_decay: WeightDecay = 0.1
    # Concatenate the sequences of a forward pass instead of padding them to the longest.
    packing: bool = False
    # Low-rank adapters in place of all weights.
    lora: LoRAConfig = LoRAConfig()


class PPMConfig(Section):
    """The process preference model (paper section 3.3, Eq. 4)."""

    # Off: every round and every evaluation goes without a PPM.
    train: bool = True
    # No PPM is trained on rounds before this one.
    first_round: Count = 1
    # Which weights it starts from: the newest policy's (paper); the bootstrap's, which has seen no
    # solution of the run's problems, so that the held-out ones are new to the PPM; or those of the
    # previous round's PPM, in the first round the bootstrap's.
    start: Literal["policy", "bootstrap", "previous"] = "policy"
    # Which rounds' trees: only the newest, or all so far. Held-out problems are the same ones.
    history: History = "round"
    # preference: pairs, Eq. 4; pqm: regression on every step's Q; orm: right or wrong, of answers.
    objective: Objective = "preference"
    # Which tokens of two sibling steps are compared: all from the first that differs, or only the
    # last (paper). At the last token alone the loss can stay at log 2 for a whole training.
    score_at: ScoreAt = "differing_tokens"
    # pairwise: Eq. 4 (paper); bce: right against wrong steps, so that scores of different prefixes
    # can be compared, which the value of a whole path needs.
    pair_loss: PairLoss = "both"
    # Passes over the round's trees.
    epochs: Epochs = 1.0
    # A small round makes more epochs, to reach this many optimiser steps.
    min_steps: Amount = 150
    # End a training after so many measurements on held-out problems without a better one, of twenty
    # over all steps, and keep the best weights; 0 makes all steps and keeps the last. Half of the
    # held-out problems choose, the others measure.
    patience: Amount = 0
    # Peak learning rate.
    learning_rate: LearningRate = 7e-6
    # How the learning rate falls.
    schedule: Schedule = "linear"
    # Trees per optimiser step, packed into rows of at most `max_tokens`.
    batch_trees: Count = 16
    # Tokens of one row, that is of one forward pass.
    max_tokens: Count = 8192
    # Longer paths are left out.
    max_length: Count = 2048
    # Of AdamW.
    weight_decay: WeightDecay = 0.0
    # Low-rank adapters in place of all weights; the head is trained whole.
    lora: LoRAConfig = LoRAConfig()
    # measured: a PPM that orders the held-out pairs no better than length and the policy's
    # probability do, beyond chance, guides no round and chooses no answer there; always: any does.
    trust: Literal["measured", "always"] = "measured"
    # Share of problems whose pairs are only for measuring pair accuracy.
    heldout_share: Share = 0.1
    # Also compare whole solutions (paper's rule for the final step); off in the reference. Their
    # hundred tokens drown out the few in which two siblings differ.
    trajectory_pairs: bool = False
    # A step whose code failed is worse than its siblings (neither paper nor reference).
    error_pairs: bool = False
    # Least difference in Q between two steps of a pair (reference: 0.5); 0 is off (paper).
    min_margin: Annotated[float, Meta(ge=0, le=2)] = 0.0
    # Least difference in characters (reference: 20); 0 is off (paper).
    min_edit_distance: Amount = 0


class GateConfig(Section):
    """Whether a trained model may be refused for being worse. Off: every round's is used (paper).

    Both compare problem by problem, and refuse only what chance does not explain.
    """

    # A policy whose pass@1 on the held-out problems is worse than that of the one before it.
    policy: bool = False
    # A PPM that orders the held-out pairs worse than the one before it, or than a coin.
    ppm: bool = False
