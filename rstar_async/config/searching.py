"""How problems are searched, in training and at test time."""

from typing import Literal

from rstar_async.config.base import Section

AnswerRule = Literal["best_ppm", "majority", "ppm_weighted", "majority_of_best"]
Guidance = Literal["terminal", "ppm"]
PathRule = Literal["last", "mean", "product", "min"]


class SearchConfig(Section):
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
    # The value of a whole path from the PPM values of its steps: of an answer in search, and of
    # what beams and votes compare. auto: the rule that the PPM's manifest names; last: the paper.
    path_value: PathRule | Literal["auto"] = "auto"
    # Problems searched at once.
    in_flight: int = 64
    # Nodes of one tree expanded at once, by virtual loss; 1 is the paper's search.
    parallel: int = 1


class ExecutionConfig(Section):
    """Bounds on every executed step."""

    wall_seconds: float = 10.0
    cpu_seconds: float = 8.0
    memory_mib: int = 1024


class BoundsConfig(Section):
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


class RoundConfig(Section):
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


class EvaluationConfig(Section):
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
