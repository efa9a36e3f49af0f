"""pass@1 of a model on whole trajectories, without search.

Programs run in a plain Python process with a time limit, not in the sandbox: use this only for the
model that this folder trains.
"""

import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rstar_async.demo.problems import WordProblem
from rstar_async.text import tags
from rstar_async.text.encoding import Encoder

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

TOKENS_OF_PROGRAM, TOKENS_OF_ANSWER = 300, 16
SECONDS = 10.0


@dataclass(frozen=True)
class Sampler:
    """Samples trajectories; temperature 0 is greedy."""

    model: "LlamaForCausalLM"
    encoder: Encoder
    temperature: float

    def answers(self, questions: Sequence[str]) -> list[str]:
        """The boxed answer of each trajectory, "" if it has none."""
        prompts = [self.encoder.prompt(question) for question in questions]
        programs = self.continued(prompts, tags.END_OF_CODE, TOKENS_OF_PROGRAM)
        outputs = [self._output(program) for program in programs]
        shown = [
            [*prompt, *program, *self.encoder.observation(output)]
            for prompt, program, output in zip(prompts, programs, outputs, strict=True)
        ]
        boxes = self.continued(shown, tags.END_OF_ANSWER, TOKENS_OF_ANSWER)
        return [_boxed(self.encoder.decode(box)) for box in boxes]

    def _output(self, program: list[int]) -> str:
        text = self.encoder.decode(program)
        return executed(text) if text.endswith(tags.END_OF_CODE) else ""

    def continued(self, starts: list[list[int]], end: str, limit: int) -> list[list[int]]:
        """What the model writes after each start, up to and with its first `end`."""
        import torch

        pad = self.model.config.pad_token_id
        width = max(map(len, starts))
        ids = torch.tensor([[pad] * (width - len(s)) + s for s in starts])
        mask = torch.tensor([[0] * (width - len(s)) + [1] * len(s) for s in starts])
        (stop,) = self.encoder.step(end)
        sampling = {"do_sample": True, "temperature": self.temperature, "top_k": 0}
        with torch.inference_mode():
            rows = self.model.generate(
                ids,
                attention_mask=mask,
                max_new_tokens=limit,
                eos_token_id=stop,
                **(sampling if self.temperature else {"do_sample": False}),
            )
        return [_until(row[width:].tolist(), stop) for row in rows]


def pass_at_1(sampler: Sampler, problems: Sequence[WordProblem], samples: int) -> dict[int, float]:
    """The share of right answers by level, over `samples` trajectories per problem."""
    right: dict[int, list[bool]] = defaultdict(list)
    for _ in range(samples):
        answers = sampler.answers([problem.question for problem in problems])
        for problem, answer in zip(problems, answers, strict=True):
            right[problem.level].append(answer == problem.answer)
    return {level: sum(hits) / len(hits) for level, hits in sorted(right.items())}


def executed(trajectory: str) -> str:
    """What the program of a trajectory prints; "" if it fails or takes too long."""
    done = run(program_of(trajectory))
    return done.stdout.strip() if done is not None and done.returncode == 0 else ""


def program_of(trajectory: str) -> str:
    """The code of a trajectory, without its tags."""
    program = trajectory.partition(tags.END_OF_CODE)[0]
    for tag in (tags.CODE, tags.END_OF_STEP):
        program = program.replace(tag, "")
    return program


def run(program: str) -> subprocess.CompletedProcess[str] | None:
    """What became of the program; None if it takes too long."""
    command = [sys.executable, "-I", "-c", program]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return None


def _until(tokens: list[int], stop: int) -> list[int]:
    return tokens[: tokens.index(stop) + 1] if stop in tokens else tokens


def _boxed(text: str) -> str:
    return text.partition("\\boxed{")[2].partition("}")[0]
