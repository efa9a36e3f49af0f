"""Makes candidates for a node: generate, run, judge, score. Shared by search and plain sampling."""

import math
import time
from collections import Counter
from collections.abc import Iterable, Sequence

import trio

from rstar_async.answers.checker import Checker
from rstar_async.answers.extract import extract_answer
from rstar_async.errors import JobFailed
from rstar_async.search.expansion import ExpansionResult, ExpansionSettings, StepResult
from rstar_async.search.models import ActiveModels
from rstar_async.search.pools import Pools
from rstar_async.search.tree import NodeStatus, TreeNode
from rstar_async.seeding import seed_of
from rstar_async.text.steps import Step, StepKind, parse_step, program_of, shorten
from rstar_async.wire.exception_groups import first
from rstar_async.wire.messages import job_id
from rstar_async.wire.payloads import (
    Execute,
    Executed,
    Generate,
    Generated,
    Sample,
    Sampling,
    Score,
    Scored,
)


class AnswerVerifier:
    """Compares answers with the gold answer; "undecided" is None and is never trained on."""

    def __init__(self, checker: Checker) -> None:
        self._checker = checker

    async def verdict(self, gold: str, text: str) -> tuple[str | None, bool | None]:
        """The answer found in an answer step, and whether it equals `gold`."""
        answer = extract_answer(text)
        if answer is None:
            return None, False
        verdict = await self._checker.equal(gold, answer)
        return answer, None if verdict == "undecided" else verdict == "equal"


# The one way for a job to fail that is the program's own doing: the broker says so only after
# workers that ran nothing else died of it. Any other failure says nothing about the step.
KILLS_ITS_WORKERS = "dead"

_STATUS_OF_KIND = {
    StepKind.STEP: NodeStatus.LIVE,
    StepKind.END_OF_CODE: NodeStatus.LIVE,
    StepKind.ANSWER: NodeStatus.ANSWER,
    StepKind.UNFINISHED: NodeStatus.UNFINISHED,
    StepKind.MALFORMED: NodeStatus.MALFORMED,
}


class Expander:
    """Expands nodes of one problem's tree with one pair of models."""

    def __init__(
        self,
        pools: Pools,
        models: ActiveModels,
        judge: AnswerVerifier,
        settings: ExpansionSettings,
        *,
        tree_id: str,
        seed: int,
        question: str,
        gold: str,
    ) -> None:
        self._pools = pools
        self._models = models
        self._judge = judge
        self._settings = settings
        self._tree_id = tree_id
        self._seed = seed
        self._gold = gold
        self._prompt = models.encoder.prompt(question)

    async def expand(self, node: TreeNode, samples: int, priority: int = 0) -> ExpansionResult:
        """Sample `samples` next steps of `node`; equal texts become one outcome."""
        seed = seed_of(self._seed, node.path)
        generated = await self._generate(node, samples, seed, priority)
        expanded = ExpansionResult(seed, samples, generated, self._reachable_tokens(node))
        expanded.outcomes = [
            self._outcome(node, sample, count) for sample, count in _distinct(generated.samples)
        ]
        started = time.monotonic()
        await self._run_and_judge(node, expanded.outcomes, priority)
        expanded.execute_seconds = time.monotonic() - started
        await self._score(node, expanded, priority)
        return expanded

    async def _generate(self, node: TreeNode, samples: int, seed: int, priority: int) -> Generated:
        request = Generate(
            model=self._models.policy,
            prompt=self._tokens_of(node),
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
        return await self._pools.inference.request(
            request,
            reply=Generated,
            job=job_id("generate", self._tree_id, node.path, samples),
            group=self._tree_id,
            affinity=self._tree_id,
            priority=priority,
        )

    def _outcome(self, node: TreeNode, sample: Sample, count: int) -> StepResult:
        after_output = node.candidate.step.kind is StepKind.END_OF_CODE
        step = parse_step(sample.text, after_output=after_output)
        return StepResult(sample, count, step, self._status(node, sample, step))

    def _status(self, node: TreeNode, sample: Sample, step: Step) -> NodeStatus:
        if not sample.tokens and sample.finish == "length":
            return NodeStatus.TOO_LONG
        status = _STATUS_OF_KIND[step.kind]
        if status is NodeStatus.LIVE and node.depth + 1 > self._settings.max_depth:
            return NodeStatus.TOO_DEEP
        return status

    async def _run_and_judge(
        self, node: TreeNode, outcomes: Sequence[StepResult], priority: int
    ) -> None:
        """All at once. Raises `JobFailed` if a step could not be run for no fault of its own."""
        try:
            async with trio.open_nursery() as nursery:
                for number, outcome in enumerate(outcomes):
                    if outcome.status is NodeStatus.ANSWER:
                        nursery.start_soon(self._judge_answer, outcome)
                    elif outcome.status is NodeStatus.LIVE:
                        nursery.start_soon(self._run, node, outcome, number, priority)
        except BaseExceptionGroup as group:
            failures, others = group.split(JobFailed)
            if failures is None or others is not None:
                raise
            raise first(failures) from group

    async def _run(self, node: TreeNode, outcome: StepResult, number: int, priority: int) -> None:
        program = program_of([*(n.candidate.step for n in node.line()), outcome.step])
        try:
            executed = await self._execute(node, program, number, priority)
        except JobFailed as failure:
            if failure.kind != KILLS_ITS_WORKERS:
                raise
            outcome.status, outcome.failure = NodeStatus.CODE_ERROR, failure.kind
            return
        outcome.executed, outcome.stdout = executed, shorten(executed.stdout)
        if executed.status != "ok":
            outcome.status = NodeStatus.CODE_ERROR
        elif outcome.step.kind is StepKind.END_OF_CODE:
            self._observe(node, outcome, executed, len(program))

    async def _execute(
        self, node: TreeNode, program: list[str], number: int, priority: int
    ) -> Executed:
        return await self._pools.executor.request(
            Execute(self._tree_id, program, self._settings.limits),
            reply=Executed,
            job=job_id("execute", self._tree_id, node.path, number, *program),
            group=self._tree_id,
            affinity=self._tree_id,
            priority=priority,
        )

    def _observe(self, node: TreeNode, outcome: StepResult, executed: Executed, steps: int) -> None:
        """Append the program's output: everything its steps printed, else the last value."""
        line = node.line()
        earlier = line[len(line) - (steps - 1) :]
        printed = "".join(n.candidate.stdout for n in earlier) + outcome.stdout
        outcome.output = printed or executed.value
        outcome.observation_tokens = tuple(self._models.encoder.observation(outcome.output))

    async def _judge_answer(self, outcome: StepResult) -> None:
        outcome.answer, outcome.correct = await self._judge.verdict(self._gold, outcome.sample.text)
        if self._settings.answer_value == "truth" and outcome.correct is not None:
            outcome.value = 1.0 if outcome.correct else -1.0

    async def _score(self, node: TreeNode, expanded: ExpansionResult, priority: int) -> None:
        judged = [o for o in expanded.outcomes if o.status in (NodeStatus.LIVE, NodeStatus.ANSWER)]
        if self._models.ppm is None or not judged:
            return
        started = time.monotonic()
        scored = await self._pools.reward.request(
            Score(
                self._models.ppm,
                self._tokens_of(node),
                [[*o.sample.tokens, *o.observation_tokens] for o in judged],
            ),
            reply=Scored,
            job=job_id("score", self._models.ppm, self._tree_id, node.path),
            group=self._tree_id,
            affinity=self._tree_id,
            priority=priority,
        )
        expanded.scored, expanded.score_seconds = scored, time.monotonic() - started
        for outcome, raw in zip(judged, scored.values, strict=True):
            self._apply_score(outcome, raw)

    def _apply_score(self, outcome: StepResult, raw: float) -> None:
        """A step that the PPM cannot read goes no further; an answer is one without its value."""
        if math.isnan(raw):
            if outcome.status is NodeStatus.LIVE:
                outcome.status = NodeStatus.TOO_LONG
            return
        outcome.score = raw
        outcome.prior = math.tanh(raw / self._settings.ppm_scale)
        if outcome.status is NodeStatus.ANSWER and self._settings.answer_value == "ppm":
            outcome.value = outcome.prior

    def _tokens_of(self, node: TreeNode) -> list[int]:
        tokens = list(self._prompt)
        for ancestor in node.line():
            tokens.extend(ancestor.candidate.tokens)
            tokens.extend(ancestor.candidate.observation_tokens)
        return tokens

    def _reachable_tokens(self, node: TreeNode) -> int:
        """Prompt tokens that earlier requests computed: all of the parent's prompt and the step
        but its last sampled token; at the root, what all prompts of this style share."""
        if node.parent is None:
            return self._models.encoder.shared_prefix_length
        before = len(self._tokens_of(node.parent)) + len(node.candidate.tokens)
        return before - 1


def _distinct(samples: Iterable[Sample]) -> list[tuple[Sample, int]]:
    """Samples with different texts, in order of first appearance, with how often each came."""
    earliest: dict[str, Sample] = {}
    for sample in samples:
        earliest.setdefault(sample.text, sample)
    counts = Counter(sample.text for sample in samples)
    return [(sample, counts[text]) for text, sample in earliest.items()]
