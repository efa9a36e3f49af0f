"""A policy and a PPM that follow a script, for tests and benchmarks of everything around models.

Every reply is a pure function of model name, tokens, seed and sample number: the same in every
process and after every restart. The policy adds up the whole numbers of the question, one a step;
now and then it miscounts, writes code that fails, or breaks the format. So trees over questions
like "What is 3 + 4 + 5?" hold right and wrong answers and every kind of dead end. Asked for a
function by its name, it writes one that adds up its arguments, or that forgets some of them. It
reads nothing of a model but its tokenizer.
"""

import re
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Annotated, Literal, Self

import msgspec
import trio
from msgspec import Meta
from tokenizers import Tokenizer

from rstar_async.engines.errors import BadRequest, ModelUnavailable
from rstar_async.seeding import digest
from rstar_async.text import tags
from rstar_async.wire.payloads import Generate, Generated, Sample, Score, Scored
from workers.engines.base import Statistics
from workers.engines.checkpoint import model_folder
from workers.engines.limits import check_generate, check_score

# Of 100 steps: how many stop short, forge an output, fail when run, or compute something wrong.
UNFINISHED, FORGED, FAILING, WRONG = 4, 4, 10, 22
LARGEST_SCORE = 5.0

# How a programming problem names the function that is asked for.
_NAMED = re.compile(r"The function is `(\w+)`")


def random_of(*parts: object) -> Random:
    """A generator that depends on the parts alone, not on Python's own hashes."""
    return Random(int.from_bytes(digest(*parts)))


def next_step(prompt: str, random: Random) -> str:
    """Continue a prompt in the tagged style by one step, as the script and `random` decide."""
    question, _, solution = prompt.rpartition(tags.ASSISTANT)
    if named := _NAMED.search(question):
        return _of_program(named[1], solution, random)
    if solution.endswith(tags.END_OF_OUTPUT):
        return _answer(solution)
    done = solution.count(tags.END_OF_STEP)
    numbers = [int(number) for number in re.findall(r"\d+", question)]
    opening = f"\n{tags.CODE}\n" if done == 0 else "\n"
    if done >= len(numbers):
        return f"{opening}# Now print the final answer\nprint(total)\n{tags.END_OF_CODE}"
    return opening + _addition(numbers[done], done, random)


def _answer(solution: str) -> str:
    output = solution.rpartition(tags.OUTPUT)[2].removesuffix(tags.END_OF_OUTPUT)
    return f"\n{tags.ANSWER}The answer is \\boxed{{{output}}}.{tags.END_OF_ANSWER}"


def _addition(number: int, done: int, random: Random) -> str:
    before = "0" if done == 0 else "total"
    wording = random.choice(("Add", "Take", "Count in"))
    dice = random.randrange(100)
    if dice < UNFINISHED:
        return f"# {wording} {number}, if only I knew how"
    if dice < UNFINISHED + FORGED:
        return f"# {wording} {number}{tags.OUTPUT}{number}{tags.END_OF_OUTPUT}"
    if dice < UNFINISHED + FORGED + FAILING:
        return f"# {wording} {number}\ntotal = {before} + unknown\n{tags.END_OF_STEP}"
    if dice < UNFINISHED + FORGED + FAILING + WRONG:
        number += random.randint(1, 3)
    return f"# {wording} {number}\ntotal = {before} + {number}\n{tags.END_OF_STEP}"


def _of_program(name: str, solution: str, random: Random) -> str:
    """A helper that adds up, then the function; mistakes are in the helper."""
    if tags.END_OF_STEP in solution:
        asked = f"def {name}(*numbers):\n    return total_of(numbers)"
        return f"\n# The function that is asked for\n{asked}\n{tags.END_OF_CODE}"
    opening = f"\n{tags.CODE}\n# {random.choice(('Add up', 'Sum up', 'Count'))} all numbers\n"
    dice = random.randrange(100)
    if dice < UNFINISHED:
        return f"{opening}def total_of"
    if dice < UNFINISHED + FAILING:
        return f"{opening}total = unknown\n{tags.END_OF_STEP}"
    added = "numbers[:2]" if dice < UNFINISHED + FAILING + WRONG else "numbers"
    return f"{opening}def total_of(numbers):\n    return sum({added})\n{tags.END_OF_STEP}"


class ScriptedSettings(msgspec.Struct, frozen=True):
    """Of policy and PPM alike."""

    delay: Annotated[float, Meta(ge=0, description="seconds before each answer")] = 0.0


DEFAULTS = ScriptedSettings()


class _Scripted:
    """What policy and PPM share: a folder, a pause before each answer, counts."""

    def __init__(self, models_dir: Path, settings: ScriptedSettings = DEFAULTS) -> None:
        self.models_dir = models_dir
        self._delay = settings.delay
        self._requests = self._prompt_tokens = self._new_tokens = self._waiting = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def statistics(self) -> Statistics:
        return Statistics(
            waiting_requests=self._waiting,
            requests=self._requests,
            prompt_tokens=self._prompt_tokens,
            new_tokens=self._new_tokens,
        )

    async def _pause(self, prompt_tokens: int) -> None:
        self._requests += 1
        self._prompt_tokens += prompt_tokens
        self._waiting += 1
        try:
            await trio.sleep(self._delay)
        finally:
            self._waiting -= 1


class ScriptedEngine(_Scripted):
    """Answers after `delay` seconds; any number of requests at once."""

    async def generate(self, request: Generate) -> Generated:
        """Follow the script; `BadRequest` for a prompt in any style but the tagged one."""
        check_generate(request)
        if request.logprobs:
            raise BadRequest("the scripted engine gives no log probabilities")
        tokenizer = _tokenizer(model_folder(self.models_dir, request.model))
        started = time.perf_counter()
        await self._pause(len(request.prompt))
        samples = list(_samples(request, tokenizer))
        self._new_tokens += sum(len(sample.tokens) for sample in samples)
        seconds = time.perf_counter() - started
        return Generated(request.model, samples, len(request.prompt), 0, seconds)


class ScriptedScorer(_Scripted):
    """Values that look like a PPM's and mean nothing, the same for the same step."""

    async def score(self, request: Score) -> Scored:
        """Draw a value for each step from its own tokens and those before it."""
        check_score(request)
        _tokenizer(model_folder(self.models_dir, request.model))
        started = time.perf_counter()
        await self._pause(len(request.prefix))
        values = [
            random_of(request.model, request.prefix, step).uniform(-LARGEST_SCORE, LARGEST_SCORE)
            for step in request.steps
        ]
        seconds = time.perf_counter() - started
        return Scored(request.model, values, len(request.prefix), 0, seconds)


def _samples(request: Generate, tokenizer: Tokenizer) -> Iterator[Sample]:
    prompt = tokenizer.decode(request.prompt, skip_special_tokens=False)
    if tags.ASSISTANT not in prompt:
        raise BadRequest("the script continues prompts in the tagged style only")
    for number in range(request.n):
        random = random_of(request.model, request.prompt, request.seed, number)
        yield _sample(next_step(prompt, random), tokenizer, request.sampling.max_tokens)


def _sample(text: str, tokenizer: Tokenizer, max_tokens: int) -> Sample:
    tokens = tokenizer.encode(text, add_special_tokens=False).ids
    finish: Literal["stop", "length"] = "stop" if text.endswith(tags.STEP_ENDS) else "length"
    if len(tokens) > max_tokens:
        tokens, finish = tokens[:max_tokens], "length"
        text = tokenizer.decode(tokens, skip_special_tokens=False)
    return Sample(tokens, text, finish)


@lru_cache(maxsize=8)
def _tokenizer(folder: Path) -> Tokenizer:
    file = folder / "tokenizer.json"
    if not file.is_file():
        raise ModelUnavailable(folder, "no tokenizer.json")
    return Tokenizer.from_file(str(file))
