"""What an expansion takes and gives: settings in, step results and their cost out."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from rstar_async.config import ExecutionConfig, PathRule, SearchConfig
from rstar_async.search.tree import Candidate, NodeStatus
from rstar_async.text.steps import Step
from rstar_async.wire.payloads import Executed, Generated, Limits, Sample, Scored

AnswerValue: TypeAlias = Literal["truth", "ppm"]


@dataclass(frozen=True, slots=True)
class ExpansionSettings:
    """Settings of every expansion of one search.

    `answer_value`: "truth" rewards answers +1 or -1 by their verification (data generation), "ppm"
    by the PPM (test time), where verification only measures. `ppm_scale` is s in tanh(raw / s),
    `path_rule` gives an answer the value of its whole path.
    """

    temperature: float
    top_p: float
    max_tokens: int
    max_depth: int
    ppm_scale: float
    limits: Limits
    answer_value: AnswerValue
    path_rule: PathRule

    @classmethod
    def of(
        cls,
        search: SearchConfig,
        execution: ExecutionConfig,
        answer_value: AnswerValue,
        path_rule: PathRule,
    ) -> "ExpansionSettings":
        """Take the values from two sections of a recipe; `path_rule` is the PPM's own rule, for
        `search.path_value = "auto"`."""
        return cls(
            temperature=search.temperature,
            top_p=search.top_p,
            max_tokens=search.max_tokens,
            max_depth=search.max_depth,
            ppm_scale=search.ppm_scale,
            limits=Limits(
                wall_seconds=execution.wall_seconds,
                cpu_seconds=execution.cpu_seconds,
                memory_mib=execution.memory_mib,
            ),
            answer_value=answer_value,
            path_rule=path_rule if search.path_value == "auto" else search.path_value,
        )


@dataclass(slots=True)
class StepResult:
    """One distinct candidate, filled in while it is executed, verified and scored.

    `stdout` is what this step printed; `output` is what its whole program printed, if the step ends
    it. `failure` is the kind of `JobFailed` if the step's execution failed so, else "".
    `report` says what verification found wrong.
    """

    sample: Sample
    multiplicity: int
    step: Step
    status: NodeStatus
    observation_tokens: tuple[int, ...] = ()
    stdout: str = ""
    output: str = ""
    executed: Executed | None = None
    failure: str = ""
    answer: str = ""
    correct: bool | None = None
    report: str = ""
    score: float | None = None
    prior: float | None = None
    value: float | None = None

    def candidate(self) -> Candidate:
        """What the tree keeps of it."""
        return Candidate(
            text=self.sample.text,
            status=self.status,
            step=self.step,
            tokens=tuple(self.sample.tokens),
            observation_tokens=self.observation_tokens,
            stdout=self.stdout,
            prior=self.prior,
            value=self.value,
            answer=self.answer,
            is_correct=self.correct,
        )


@dataclass(slots=True)
class ExpansionResult:
    """The candidates of one expansion and their cost.

    `reachable_tokens` of the prompt had been computed before, so the prefix cache could serve them.
    """

    seed: int
    samples: int
    generated: Generated
    reachable_tokens: int
    steps: list[StepResult] = field(default_factory=list)
    scored: Scored | None = None
    execute_seconds: float = 0.0
    score_seconds: float = 0.0

    @property
    def new_tokens(self) -> int:
        """Tokens the policy sampled, duplicates included."""
        return sum(len(sample.tokens) for sample in self.generated.samples)

    @property
    def cpu_seconds(self) -> float:
        """CPU seconds of the executed programs."""
        return sum(step.executed.cpu_seconds for step in self.steps if step.executed)
