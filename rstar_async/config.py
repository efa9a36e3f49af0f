"""The recipe: one typed tree of settings, read from TOML, overridden by `--dotted.key value`.

Every default is explained where it stands. Unknown keys and wrong types are refused by name.
"""

from pathlib import Path
from typing import Literal, TypeVar

import msgspec

T = TypeVar("T")

AnswerRule = Literal["best_ppm", "majority", "ppm_weighted", "majority_of_best"]
PromptSource = Literal["demonstrations", "few_shot", "checkpoint"]
Guidance = Literal["terminal", "ppm"]
Preset = Literal["", "paper", "reference"]
Weakness = Literal["no-landlock", "no-listener"]
Dtype = Literal["auto", "float32", "bfloat16"]
Schedule = Literal["linear", "cosine", "constant"]
Objective = Literal["preference", "pqm", "orm"]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all sections."""


class Model(Settings):
    """The base model, from which every round's policy is trained."""

    # "demo" is the tiny model in this package, "package:NAME" the GGUF file in an installed Python
    # package; else a Hugging Face folder, a GGUF file, or a hub id.
    base: str = "demo"
    # What inference computes in: auto is float32 on CPUs, bfloat16 on GPUs.
    dtype: Dtype = "auto"


class Bootstrap(Settings):
    """How round 1 gets a policy that knows the format (paper: a 236B model, few-shot)."""

    # few_shot: prompt the base model; demonstrations: SFT on easy solved problems; checkpoint: the
    # base model knows the format already.
    kind: PromptSource = "few_shot"
    # For few_shot: a stronger model that searches in round 1 only; empty: the base model itself.
    model: str = ""
    # Solved problems for `demonstrations`, and their levels (number of operations).
    demonstrations: int = 160
    levels: tuple[int, ...] = (1, 2, 3)
    epochs: float = 2.0
    learning_rate: float = 2e-4
    batch_size: int = 8


class Problems(Settings):
    """Where questions and answers come from."""

    # "generated"; or a JSONL, JSON or parquet file of objects, a folder with a saved dataset, or
    # "hf:NAME@SPLIT" of a hub.
    source: str = "generated"
    # Names of the columns in that file.
    question: str = "question"
    answer: str = "answer"
    # A second file for held-out problems; else the last `heldout` rows of `source` are set aside.
    heldout_source: str = ""
    heldout: int = 0
    # Levels of held-out problems, for "generated".
    heldout_levels: tuple[int, ...] = (1, 2, 3, 4, 5, 6)
    # Use only the first rows; 0 means all.
    limit: int = 0


class Answers(Settings):
    """When an answer counts as right."""

    # "reference": as permissive as the released code (a factor of 100, units ignored).
    rules: Literal["strict", "reference"] = "strict"


class Search(Settings):
    """Monte Carlo tree search (paper section 3; reference config in brackets)."""

    # Descents from the root per problem [48].
    rollouts: int = 8
    # Steps sampled at every expansion [12].
    candidates: int = 5
    # A path with more steps fails.
    max_depth: int = 16
    # c of UCT.
    exploration: float = 2.0
    # Score of an unvisited child: "infinity" is UCT, "zero" the reference code.
    unvisited: Literal["infinity", "zero"] = "infinity"
    temperature: float = 1.0
    top_p: float = 1.0
    # Per step.
    max_tokens: int = 256
    # PPM value = tanh(raw / scale) (reference code: 5).
    ppm_scale: float = 5.0
    # Problems searched at once.
    in_flight: int = 64
    # Nodes of one tree expanded at once, by virtual loss; 1 is the paper's search.
    parallel: int = 1


class Execution(Settings):
    """Bounds on every executed step."""

    wall_seconds: float = 10.0
    cpu_seconds: float = 8.0
    memory_mib: int = 1024


class Bounds(Settings):
    """When a single search ends before its rollouts do; 0 means never."""

    nodes: int = 0
    # Tokens sampled.
    tokens: int = 0
    seconds: float = 0.0
    # Of its programs.
    cpu_seconds: float = 0.0
    # Stop when the leading answer is, with this probability, the one most rollouts would give:
    # 0.95 saves most on easy problems. In training only right answers count as leading.
    confidence: float = 0.0


class Round(Settings):
    """What differs in one round; absent values come from `search` and `problems`."""

    # terminal: Q starts at 0 (rounds 1-2); ppm: Q starts at the PPM's value (rounds 3-4).
    guidance: Guidance = "terminal"
    # How many problems, drawn in order from the pool; 0 means all.
    problems: int = 0
    # For "generated": levels of this round's problems.
    levels: tuple[int, ...] = ()
    rollouts: int | None = None
    candidates: int | None = None
    temperature: float | None = None
    # For problems that are still unsolved: totals to raise their rollouts to, one after another
    # (paper: 32 in rounds 2 and 3; 64, then 128 in round 4).
    unsolved_rollouts: tuple[int, ...] = ()
    # ... and then: further trees with other seeds, until one solves the problem (paper: 2 in all).
    seeds: int = 1


class Training(Settings):
    """How both trainings compute. What they learn stands in `policy` and `ppm`."""

    # What is computed in; weights stay float32. auto: float32 on CPUs, bfloat16 on GPUs. Many CPUs
    # train faster in bfloat16 and infer faster in float32, so `model.dtype` is another setting.
    dtype: Dtype = "auto"
    # Compute activations twice rather than keep them. auto: on GPUs.
    gradient_checkpointing: Literal["auto", "on", "off"] = "auto"
    # How trees are masked: auto is flex (needs a GPU) where it can be, else dense.
    tree_attention: Literal["auto", "dense", "flex"] = "auto"
    # Fused kernels of the package liger-kernel, on GPUs.
    liger: bool = False
    # Processes that train together, one per GPU, started by torchrun.
    processes: int = 1
    # How they share a model: each has all of it (ddp) or a part (fsdp). auto: fsdp on GPUs.
    sharding: Literal["auto", "ddp", "fsdp"] = "auto"
    # Seconds between checkpoints of a training under way, from which a killed one goes on; 0: none.
    checkpoint_seconds: float = 300.0
    # Curves for TensorBoard, in `<home>/training/tensorboard`.
    tensorboard: bool = False
    # Project of Weights & Biases to report to; empty means nothing leaves this machine.
    wandb: str = ""
    # Of each kind, how many published versions keep their weights beside those in use; 0: all.
    keep_versions: int = 0


class Gate(Settings):
    """Whether a trained model may be refused for being worse. Off: every round's is used (paper).

    Both compare problem by problem, and refuse only what chance does not explain.
    """

    # A policy whose pass@1 on the held-out problems is worse than that of the one before it.
    policy: bool = False
    # A PPM that orders the held-out pairs worse than the one before it, or than a coin.
    ppm: bool = False


class LoRA(Settings):
    """Low-rank adapters in all linear layers, merged into the weights before publishing."""

    # 0 trains all weights.
    rank: int = 0
    alpha: float = 32.0
    dropout: float = 0.0


class PolicyTraining(Settings):
    """SFT of the policy, from the base model in every round (paper section 3.4)."""

    # "demonstrations" leaves the round's own solutions out: the control of an experiment.
    learn_from: Literal["trajectories", "demonstrations"] = "trajectories"
    trajectories_per_problem: int = 2
    # Take a program once, however often it was found. Off in the reference.
    distinct: bool = True
    # Leave out solutions with the word "error" in them, after the best were picked (reference).
    drop_errors: bool = False
    # Which rounds' trajectories: only the newest, or all so far (newest first per problem).
    history: Literal["round", "all"] = "round"
    # Demonstrations mixed in, so that what the bootstrap knew is not forgotten.
    replay: int = 0
    # "base" retrains from the base model (paper); "bootstrap" from the bootstrap policy.
    start: Literal["base", "bootstrap"] = "base"
    epochs: float = 2.0
    learning_rate: float = 7e-6
    schedule: Schedule = "linear"
    batch_size: int = 128
    # Sequences per forward pass; the batch is accumulated.
    micro_batch: int = 8
    # A longer trajectory is left out: a cut one would teach to stop in the middle.
    max_length: int = 4096
    weight_decay: float = 0.1
    # Lay the sequences of a forward pass end to end, instead of padding them to the longest.
    packing: bool = False
    lora: LoRA = LoRA()


class PPMTraining(Settings):
    """The process preference model (paper section 3.3, Eq. 4)."""

    # Off: every round and every evaluation goes without a PPM.
    train: bool = True
    # preference: pairs, Eq. 4; pqm: regression on every step's Q; orm: right or wrong, of answers.
    objective: Objective = "preference"
    epochs: float = 1.0
    learning_rate: float = 7e-6
    schedule: Schedule = "linear"
    # Trees per optimiser step, packed into rows of at most `max_tokens`.
    batch_trees: int = 16
    max_tokens: int = 8192
    max_length: int = 2048
    weight_decay: float = 0.0
    # Share of problems whose pairs are only for measuring pair accuracy.
    heldout_share: float = 0.1
    # Also compare whole solutions (paper's rule for the final step); off in the reference.
    trajectory_pairs: bool = True
    # A step whose code failed is worse than its siblings (neither paper nor reference).
    error_pairs: bool = False
    # Least difference in Q and in characters between two steps (reference); 0 is off (paper).
    min_margin: float = 0.0
    min_edit_distance: int = 0


class Filters(Settings):
    """Which problems teach nothing, though they were solved."""

    # Sources of synthetic problems, whose given answer may be wrong: file names as in `source`.
    synthetic: tuple[str, ...] = ()
    # Leave out a synthetic problem if fewer of its answers are right than this (paper: 0.5).
    min_accuracy: float = 0.0


class Evaluation(Settings):
    """What is measured on held-out problems after each round."""

    # Held-out problems; 0 means all of them.
    problems: int = 0
    # Whole solutions sampled per problem for the policy's pass@1.
    samples: int = 4
    temperature: float = 1.0
    # Also search them, guided by the PPM once there is one.
    search: bool = True
    rollouts: int = 4
    candidates: int = 4
    # For `rstar evaluate`: numbers of trajectories (independent trees) per problem, and the step
    # beam search that is held against them.
    trajectories: tuple[int, ...] = (1, 4, 16, 64)
    beam_width: int = 4
    beam_candidates: int = 4
    # Which of its answers a search gives: best_ppm is the paper's rule, majority_of_best (the four
    # with the highest PPM values) the reference's. Without a PPM all mean the majority.
    answer: AnswerRule = "best_ppm"


class Workers(Settings):
    """Processes of `rstar run` on one machine."""

    # "local": transformers in the worker. "sglang": servers, see [sglang]. "scripted" follows a
    # script and needs no weights: for tests of everything around the models.
    engine: Literal["local", "sglang", "scripted"] = "local"
    inference: int = 1
    reward: int = 1
    executor: int = 1
    # Programs run at once by one executor; 0 means one per core.
    slots: int = 0
    # Locks that an executor may do without where the machine lacks them; see docs/security.md.
    allow: tuple[Weakness, ...] = ()
    # Rows decoded at once, and memory for the prefix cache.
    rows: int = 128
    cache_mib: int = 1024
    # Threads of one model process; more than one hurts when cores are shared.
    threads: int = 1


class SGLang(Settings):
    """The servers behind `workers.engine = "sglang"` (docs/engines.md)."""

    # Base URLs of servers that run already, one worker for each; empty: each of `workers.inference`
    # and `workers.reward` starts its own.
    policy_urls: tuple[str, ...] = ()
    ppm_urls: tuple[str, ...] = ()
    # The program that starts one, with {model} and {port}; empty: the sglang installed here.
    launch: str = ""
    # What it gets besides. The two shares are of one card and leave a fifth to CUDA graphs.
    policy_arguments: tuple[str, ...] = ("--mem-fraction-static", "0.5")
    ppm_arguments: tuple[str, ...] = ("--mem-fraction-static", "0.3")
    # Servers that are started listen from this port upwards, on this machine only.
    port: int = 31000
    # One card for all: servers give up its memory while the trainer works. Those that run already
    # must have been started with --enable-memory-saver.
    share_device: bool = False


class Observe(Settings):
    """How the processes of `rstar run` can be watched. Nothing of it changes what they do."""

    # The first of the loopback ports where they serve Prometheus metrics, one each (and a list of
    # them in HOME/metrics.json, as Prometheus reads it); 0: none.
    metrics_port: int = 0
    # Lines of the logs: for people, or one JSON object each.
    logs: Literal["text", "json"] = "text"


class Recipe(Settings):
    """Everything one run needs to know."""

    name: str = "run"
    # Start from the settings of the "paper" or of the "reference" code; `rstar presets` compares.
    preset: Preset = ""
    seed: int = 1
    # Models, sockets' names and, unless `database` says otherwise, the SQLite file live here.
    home: str = "runs/{name}"
    database: str = ""
    model: Model = Model()
    bootstrap: Bootstrap = Bootstrap()
    problems: Problems = Problems()
    search: Search = Search()
    bounds: Bounds = Bounds()
    execution: Execution = Execution()
    answers: Answers = Answers()
    rounds: tuple[Round, ...] = (Round(),)
    filters: Filters = Filters()
    training: Training = Training()
    policy: PolicyTraining = PolicyTraining()
    ppm: PPMTraining = PPMTraining()
    gate: Gate = Gate()
    evaluation: Evaluation = Evaluation()
    workers: Workers = Workers()
    observe: Observe = Observe()
    sglang: SGLang = SGLang()

    @property
    def home_folder(self) -> Path:
        return Path(self.home.format(name=self.name)).absolute()

    @property
    def models_folder(self) -> Path:
        return self.home_folder / "models"

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.home_folder / 'rstar.db'}"

    @property
    def search_of_evaluation(self) -> Search:
        """The search settings at test time."""
        return msgspec.structs.replace(
            self.search,
            temperature=self.evaluation.temperature,
            rollouts=self.evaluation.rollouts,
            candidates=self.evaluation.candidates,
        )

    def search_of_round(self, number: int) -> Search:
        """The search settings of round `number` (1 is the first), overrides applied."""
        overrides = self.rounds[number - 1]
        return msgspec.structs.replace(
            self.search,
            rollouts=_given(overrides.rollouts, self.search.rollouts),
            candidates=_given(overrides.candidates, self.search.candidates),
            temperature=_given(overrides.temperature, self.search.temperature),
        )


def _given(value: T | None, default: T) -> T:
    return default if value is None else value
