"""Pools that answer from a script: texts to generate, and a function that runs code."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rstar_async.answers.extract import extract_answer
from rstar_async.demo.tokenizer import tiny_tokenizer
from rstar_async.domains.base import Domain, Executor, PathStep, Verification
from rstar_async.errors import JobFailed
from rstar_async.search.expander import Expander
from rstar_async.search.expansion import ExpansionSettings
from rstar_async.search.jobs import TreeJobs
from rstar_async.search.models import ActiveModels
from rstar_async.search.pools import Pools
from rstar_async.text.encoding import Encoder
from rstar_async.wire.payloads import (
    Execute,
    Executed,
    Generate,
    Generated,
    Limits,
    Sample,
    Score,
    Scored,
)
from storage.records import Problem

ENCODER = Encoder(tiny_tokenizer(), "tagged")
FEW_SHOT = Encoder(tiny_tokenizer(), "few_shot")


@dataclass
class Script:
    """The replies of the pools; `asked` records the requests. `empty` samples, for which the model
    had no room, follow those of `texts`."""

    texts: Callable[[Generate], Sequence[str]]
    outcome: Callable[[Execute], Executed] = lambda _: Executed("ok")
    scores: Callable[[Score], list[float]] = lambda score: [0.0] * len(score.steps)
    empty: int = 0
    encoder: Encoder = ENCODER
    asked: list[Any] = field(default_factory=list)

    async def request(self, payload: Any, reply: type, **_: object) -> Any:
        self.asked.append(payload)
        if isinstance(payload, Generate):
            texts = self.texts(payload)
            samples = [Sample(self.encoder.step(t), t, "stop") for t in texts]
            samples += [Sample([], "", "length")] * self.empty
            return Generated(payload.model, samples, len(payload.prompt), 0, 0.0)
        if isinstance(payload, Execute):
            return self.outcome(payload)
        return Scored(payload.model, self.scores(payload), len(payload.prefix), 0, 0.0)

    def cancel_group(self, group: str) -> None:
        self.asked.append(group)


class EqualText(Domain):
    """Right is the boxed text that equals the gold answer."""

    async def verify(
        self, problem: Problem, path: Sequence[PathStep], executor: Executor
    ) -> Verification:
        answer = extract_answer(path[-1].text) or ""
        return Verification(answer, "right" if answer == problem.answer else "wrong")


def settings(**changes: Any) -> ExpansionSettings:
    values = {
        "temperature": 1.0,
        "top_p": 1.0,
        "max_tokens": 32,
        "max_depth": 16,
        "ppm_scale": 5.0,
        "limits": Limits(),
        "answer_value": "truth",
        "path_rule": "last",
    }
    return ExpansionSettings(**{**values, **changes})


def expander(
    script: Script,
    *,
    ppm: str | None = None,
    domain: Domain | None = None,
    encoder: Encoder = ENCODER,
    **changes: Any,
) -> Expander:
    return Expander(
        TreeJobs(Pools(script, script, script), "tree"),
        ActiveModels("policy", ppm, encoder),
        domain or EqualText(),
        settings(**changes),
        Problem("p", "run", "How many?", "3"),
        seed=1,
    )


def failing(kind: str) -> Callable[[Any], Any]:
    def fail(_: Any) -> Any:
        raise JobFailed(kind, "scripted")

    return fail
