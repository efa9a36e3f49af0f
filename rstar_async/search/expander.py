"""Makes candidates for a node: generate, execute, verify, score. Used by search, beam search and
plain sampling."""

import math
import time
from collections import Counter
from collections.abc import Iterable, Sequence

import trio
from msgspec.structs import replace

from rstar_async.domains.base import Domain, PathStep
from rstar_async.errors import JobFailed
from rstar_async.search.expansion import ExpansionResult, ExpansionSettings, StepResult
from rstar_async.search.jobs import TreeJobs
from rstar_async.search.models import ActiveModels
from rstar_async.search.path_value import path_value
from rstar_async.search.tree import NodeStatus, TreeNode
from rstar_async.seeding import seed_of
from rstar_async.text.steps import Step, StepKind, program_of, shorten, split_after_end
from rstar_async.wire.exception_groups import first
from rstar_async.wire.payloads import Executed, Generate, Sample, Sampling, Score
from storage.records import Problem

# The one failure of a job that is the program's own: the broker reports it only after workers that
# ran nothing else died of it. Any other failure says nothing about the step.
KILLS_ITS_WORKERS = "dead"

_STATUS_OF_KIND = {
    StepKind.STEP: NodeStatus.LIVE,
    StepKind.END_OF_CODE: NodeStatus.LIVE,
    StepKind.ANSWER: NodeStatus.ANSWER,
    StepKind.UNFINISHED: NodeStatus.UNFINISHED,
    StepKind.MALFORMED: NodeStatus.MALFORMED,
}
_ALIVE = (NodeStatus.LIVE, NodeStatus.ANSWER)


class Expander:
    """Expands nodes of one problem's tree with one policy and perhaps a PPM."""

    def __init__(
        self,
        jobs: TreeJobs,
        models: ActiveModels,
        domain: Domain,
        settings: ExpansionSettings,
        problem: Problem,
        *,
        seed: int,
    ) -> None:
        self._jobs = jobs
        self._models = models
        self._domain = domain
        self._settings = settings
        self._problem = problem
        self._seed = seed
        self._prompt = models.encoder.prompt(problem.question)
        self._opening = models.encoder.opening
        self._opening_tokens = models.encoder.step(self._opening)

    async def expand(
        self, node: TreeNode, samples: int, priority: int = 0, *, draw: int = 0
    ) -> ExpansionResult:
        """Sample `samples` next steps of `node`; samples with equal texts become one result.

        `draw` is 0 for the first expansion of a node; other numbers give other samples. Raises
        `JobFailed` if a step could not be executed for no fault of its own.
        """
        name = f"{node.path}+{draw}" if draw else node.path
        seed = seed_of(self._seed, name)
        request = self._generate(node, samples, seed)
        generated = await self._jobs.generate(request, name, priority)
        expansion = ExpansionResult(seed, samples, generated, self._reachable_tokens(node))
        written = [self._as_step(node, sample) for sample in generated.samples]
        expansion.steps = [self._parse(node, sample, count) for sample, count in _distinct(written)]
        started = time.monotonic()
        await self._run_all(node, expansion.steps, priority)
        expansion.execute_seconds = time.monotonic() - started
        await self._score(node, expansion, name, priority)
        return expansion

    def _generate(self, node: TreeNode, samples: int, seed: int) -> Generate:
        return Generate(
            model=self._models.policy,
            prompt=self._prompt_of(node),
            n=samples,
            seed=seed,
            sampling=Sampling(
                temperature=self._settings.temperature,
                top_p=self._settings.top_p,
                max_tokens=self._settings.max_tokens,
                stop_token_ids=self._models.encoder.stop_token_ids,
                stop_texts=self._models.encoder.stop_texts,
            ),
        )

    def _prompt_of(self, node: TreeNode) -> list[int]:
        opening = self._opening_tokens if node.parent is None else []
        return [*self._tokens_of(node), *opening]

    def _as_step(self, node: TreeNode, sample: Sample) -> Sample:
        """The sample as a step. In few-shot style the ids before it may hold the beginning of its
        text, and its own last id the beginning of the next step's."""
        if self._models.encoder.style == "tagged" or not sample.tokens:
            return sample
        given = self._opening_tokens if node.parent is None else []
        text, _ = split_after_end(self._begun(node) + sample.text)
        return replace(sample, tokens=[*given, *sample.tokens], text=text)

    def _begun(self, node: TreeNode) -> str:
        """How the text of a step after `node` begins before the policy writes."""
        if node.parent is None:
            return self._opening
        if node.candidate.observation_tokens:
            return ""
        return self._models.encoder.left_over(node.candidate.tokens)

    def _parse(self, node: TreeNode, sample: Sample, count: int) -> StepResult:
        after_output = node.candidate.step.kind is StepKind.END_OF_CODE
        step = self._domain.parse_step(sample.text, after_output=after_output)
        return StepResult(sample, count, step, self._status(node, sample, step))

    def _status(self, node: TreeNode, sample: Sample, step: Step) -> NodeStatus:
        if not sample.tokens and sample.finish == "length":
            return NodeStatus.TOO_LONG
        status = _STATUS_OF_KIND[step.kind]
        if status is NodeStatus.LIVE and node.depth + 1 > self._settings.max_depth:
            return NodeStatus.TOO_DEEP
        return status

    async def _run_all(self, node: TreeNode, results: Sequence[StepResult], priority: int) -> None:
        """Execute, verify and reward all steps at once."""
        path = node.path_from_root()
        try:
            async with trio.open_nursery() as nursery:
                for number, result in enumerate(results):
                    if result.status in _ALIVE:
                        nursery.start_soon(self._run, node, path, result, number, priority)
        except BaseExceptionGroup as group:
            failures, others = group.split(JobFailed)
            if failures is None or others is not None:
                raise
            raise first(failures) from group

    async def _run(
        self,
        node: TreeNode,
        path: Sequence[TreeNode],
        result: StepResult,
        number: int,
        priority: int,
    ) -> None:
        if result.status is NodeStatus.LIVE or result.step.code:
            await self._execute(node, path, result, number, priority)
        if result.status is NodeStatus.ANSWER:
            await self._verify(path, result, priority)
        if self._domain.rewards_steps and result.status in _ALIVE:
            await self._reward(path, result, priority)

    async def _execute(
        self,
        node: TreeNode,
        path: Sequence[TreeNode],
        result: StepResult,
        number: int,
        priority: int,
    ) -> None:
        program = program_of([*(n.candidate.step for n in path), result.step])
        try:
            executed = await self._jobs.execute(
                program, self._settings.limits, node.path, number, priority
            )
        except JobFailed as failure:
            if failure.kind != KILLS_ITS_WORKERS:
                raise
            result.status, result.failure = NodeStatus.CODE_ERROR, failure.kind
            return
        result.executed, result.stdout = executed, shorten(executed.stdout)
        if executed.status != "ok":
            result.status = NodeStatus.CODE_ERROR
        elif result.step.kind is StepKind.END_OF_CODE:
            self._observe(path, result, executed, len(program))

    def _observe(
        self, path: Sequence[TreeNode], result: StepResult, executed: Executed, steps: int
    ) -> None:
        """Append the program's output: everything its steps printed, else the last value."""
        earlier = path[len(path) - (steps - 1) :]
        printed = "".join(n.candidate.stdout for n in earlier) + result.stdout
        result.output = printed or executed.value
        observation = self._models.encoder.observation(result.output, result.sample.tokens)
        result.observation_tokens = tuple(observation)

    async def _verify(self, path: Sequence[TreeNode], result: StepResult, priority: int) -> None:
        executor = self._jobs.executor(priority)
        found = await self._domain.verify(self._problem, _steps(path, result), executor)
        result.answer, result.correct = found.answer, found.is_correct
        result.report = found.report
        if self._settings.answer_value == "truth" and result.correct is not None:
            result.value = 1.0 if result.correct else -1.0

    async def _reward(self, path: Sequence[TreeNode], result: StepResult, priority: int) -> None:
        executor = self._jobs.executor(priority)
        value = await self._domain.reward(self._problem, _steps(path, result), executor)
        self._apply_value(result, value)

    async def _score(
        self, node: TreeNode, expansion: ExpansionResult, name: str, priority: int
    ) -> None:
        scorable = [result for result in expansion.steps if result.status in _ALIVE]
        if self._models.ppm is None or self._domain.rewards_steps or not scorable:
            return
        started = time.monotonic()
        request = Score(
            self._models.ppm,
            self._tokens_of(node),
            [[*r.sample.tokens, *r.observation_tokens] for r in scorable],
        )
        expansion.scored = await self._jobs.score(request, name, priority)
        expansion.score_seconds = time.monotonic() - started
        path = node.path_from_root()
        for result, raw in zip(scorable, expansion.scored.values, strict=True):
            self._apply_score(path, result, raw)

    def _apply_score(self, path: Sequence[TreeNode], result: StepResult, raw: float) -> None:
        """An answer is worth what its whole path is worth. NaN is a step that the PPM could not
        read: it ends its path, an answer has no value."""
        if math.isnan(raw):
            if result.status is NodeStatus.LIVE:
                result.status = NodeStatus.TOO_LONG
            return
        result.score = raw
        value = math.tanh(raw / self._settings.ppm_scale)
        if result.status is NodeStatus.ANSWER:
            value = path_value(self._settings.path_rule, [*priors(path), value])
        self._apply_value(result, value)

    def _apply_value(self, result: StepResult, value: float) -> None:
        result.prior = value
        if result.status is NodeStatus.ANSWER and self._settings.answer_value == "ppm":
            result.value = result.prior

    def value_of_path(self, node: TreeNode) -> float:
        """The PPM's value of the path to a node in [-1, 1]; -1 if it scored none of its steps."""
        if node.status is NodeStatus.ANSWER and node.candidate.prior is not None:
            return node.candidate.prior
        values = priors(node.path_from_root())
        return path_value(self._settings.path_rule, values) if values else -1.0

    def _tokens_of(self, node: TreeNode) -> list[int]:
        tokens = list(self._prompt)
        for ancestor in node.path_from_root():
            tokens.extend(ancestor.candidate.tokens)
            tokens.extend(ancestor.candidate.observation_tokens)
        return tokens

    def _reachable_tokens(self, node: TreeNode) -> int:
        """Prompt tokens that earlier requests computed: the parent's prompt and the step without
        its last sampled token; at the root, what all prompts of this style share."""
        if node.parent is None:
            return self._models.encoder.shared_prefix_length
        before = len(self._tokens_of(node.parent)) + len(node.candidate.tokens)
        return before - 1


def priors(path: Iterable[TreeNode]) -> list[float]:
    """The PPM's values of the nodes that have one."""
    return [n.candidate.prior for n in path if n.candidate.prior is not None]


def _steps(path: Sequence[TreeNode], result: StepResult) -> list[PathStep]:
    """The path that ends with `result`, as a domain sees it."""
    earlier = [PathStep(n.candidate.text, n.candidate.step, n.candidate.stdout) for n in path]
    return [*earlier, PathStep(result.sample.text, result.step, result.stdout)]


def _distinct(samples: Iterable[Sample]) -> list[tuple[Sample, int]]:
    """Samples with different texts, in order of first appearance, with how often each came."""
    earliest: dict[str, Sample] = {}
    for sample in samples:
        earliest.setdefault(sample.text, sample)
    counts = Counter(sample.text for sample in samples)
    return [(sample, counts[text]) for text, sample in earliest.items()]
