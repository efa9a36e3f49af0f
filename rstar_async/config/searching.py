"""How problems are searched, in training and at test time."""

from typing import Annotated, Literal

from msgspec import Meta

from rstar_async.config.base import (
    Amount,
    Count,
    Level,
    Mebibytes,
    Scale,
    Seconds,
    SecondsOrNone,
    Section,
    Share,
    Temperature,
)

AnswerRule = Literal["best_ppm", "majority", "ppm_weighted", "majority_of_best"]
Guidance = Literal["terminal", "ppm"]
PathRule = Literal["last", "mean", "product", "min"]


class SearchConfig(Section):
    """Monte Carlo tree search (paper section 3; reference config in brackets)."""

    # Descents from the root per problem [48].
    rollouts: Count = 8
    # Steps sampled at every expansion [12].
    candidates: Count = 5
    # A path with more steps fails.
    max_depth: Count = 16
    # c of UCT.
    exploration: Annotated[float, Meta(ge=0, le=1000)] = 2.0
    # Score of an unvisited child: "infinity" is UCT, "zero" the reference code.
    unvisited: Literal["infinity", "zero"] = "infinity"
    # Of the sampling of steps; 0 is greedy.
    temperature: Temperature = 1.0
    # Sample from the likeliest tokens that have this much probability together.
    top_p: Annotated[float, Meta(gt=0, le=1)] = 1.0
    # Sampled per step; a step that reaches this has no end and fails.
    max_tokens: Count = 256
    # PPM value = tanh(raw / scale) (reference code: 5).
    ppm_scale: Scale = 5.0
    # The value of a whole path from the PPM values of its steps: of an answer in search, and of
    # what beams and votes compare. auto: the rule that the PPM's manifest names; last: the paper.
    path_value: PathRule | Literal["auto"] = "auto"
    # Problems searched at once.
    in_flight: Count = 64
    # Nodes of one tree expanded at once, by virtual loss; 1 is the paper's search.
    parallel: Count = 1


class ExecutionConfig(Section):
    """Bounds on every executed step."""

    # Seconds that a step may take, waiting included.
    wall_seconds: Seconds = 10.0
    # CPU seconds of a step.
    cpu_seconds: Seconds = 8.0
    # Memory of a program.
    memory_mib: Mebibytes = 1024


class BoundsConfig(Section):
    """Limits that end a search before all its rollouts are done; 0 is no limit."""

    # Nodes of the tree.
    nodes: Amount = 0
    # Sampled tokens.
    tokens: Amount = 0
    # Seconds since the search began.
    seconds: SecondsOrNone = 0.0
    # CPU seconds of the executed programs.
    cpu_seconds: SecondsOrNone = 0.0
    # Stop when the leading answer is, with this probability, the one that most rollouts would give:
    # 0.95 saves most on easy problems. In training only a right answer can stop the search.
    confidence: Share = 0.0


class RoundConfig(Section):
    """The settings of one round; absent values come from `search` and `problems`."""

    # terminal: Q starts at 0 (rounds 1-2); ppm: Q starts at the PPM's value (rounds 3-4).
    guidance: Guidance = "terminal"
    # How many problems, drawn in order from the pool; 0 means all.
    problems: Amount = 0
    # Problems of the pool that are left out before them, so that rounds can search different ones.
    skip: Amount = 0
    # For "generated": levels of this round's problems.
    levels: tuple[Level, ...] = ()
    # In place of `search.rollouts`.
    rollouts: Count | None = None
    # In place of `search.candidates`.
    candidates: Count | None = None
    # In place of `search.temperature`.
    temperature: Temperature | None = None
    # For problems that are still unsolved: totals to raise their rollouts to, one after another
    # (paper: 32 in rounds 2 and 3; 64, then 128 in round 4).
    unsolved_rollouts: tuple[Count, ...] = ()
    # Then: the most trees per problem, each with another seed, until one solves it (paper: 2).
    seeds: Count = 1


class EvaluationConfig(Section):
    """What is measured on held-out problems after each round."""

    # Held-out problems; 0 means all of them.
    problems: Amount = 0
    # Whole solutions sampled per problem for the policy's pass@1.
    samples: Count = 4
    # Of sampling at test time, alone and in trees.
    temperature: Temperature = 1.0
    # Also search them, guided by the PPM once there is one.
    search: bool = True
    # Descents from the root per tree at test time.
    rollouts: Count = 4
    # Steps sampled at every expansion at test time.
    candidates: Count = 4
    # For `rstar evaluate`: numbers of trajectories (independent trees) per problem.
    trajectories: tuple[Count, ...] = (1, 4, 16, 64)
    # Beams of the step beam search that is compared with trees.
    beam_width: Count = 4
    # Steps sampled for each beam.
    beam_candidates: Count = 4
    # Guided sampling: the most candidates of a step. The first whose probability of being right, as
    # the PPM sees it, is at least `accept` is taken; without one, the best of them.
    guided_candidates: Count = 8
    # That probability.
    accept: Share = 0.9
    # How a search chooses its answer: best_ppm is the paper's rule, majority_of_best (of the four
    # with the highest PPM values) the reference's; ppm_weighted is a vote in which the PPM weighs
    # each answer. Without a PPM all mean the majority.
    answer: AnswerRule = "best_ppm"
