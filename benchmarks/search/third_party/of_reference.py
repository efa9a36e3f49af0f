"""The reference's solver with a model that answers at once: `of_reference.py NODES CLONE`.

Its engine and its equivalence check (not on any registry) are stood in for; everything else is its
own: agents, nodes, the pool of processes that each step's trees travel through, and the program,
run anew for every candidate. With `canned` no program is run at all.
"""

import contextlib
import io
import os
import resource
import sys
import time
import types
from pathlib import Path

CANDIDATES, DEPTH = 8, 8


class Completion:
    def __init__(self, text, stop):
        self.text, self.stop_reason = text, stop


class Request:
    def __init__(self, outputs):
        self.outputs, self.value_estimate = outputs, None


class Engine:
    """Continues any prompt: six steps, the printed result, answers."""

    def __init__(self, *_, **__):
        pass

    def generate(self, prompts, sampling_params):
        return [Request(list(self._outputs(prompt))) for prompt in prompts]

    def _outputs(self, prompt):
        solution = prompt.rpartition("<|assistant|>")[2]
        depth, is_over = solution.count("<end_of_step>"), "<end_of_code>" in solution
        for number in range(CANDIDATES):
            if is_over:
                yield Completion(f"\n<answer>In way {number} it is \\boxed{{{number}}}.", "")
            elif depth + 2 >= DEPTH:
                yield Completion(f"\n# way {number}\nprint(7)\n", "<end_of_code>")
            else:
                opening = "<code>\n" if not depth else "\n"
                code = f"{opening}# Step {depth + 1}, way {number}.\nx{depth} = {number}\n"
                yield Completion(code, "<end_of_step>")


class Reward:
    def __init__(self, value):
        self.value_estimate = value


def stand_in(name: str, **attributes) -> None:
    module = types.ModuleType(name)
    vars(module).update(attributes)
    sys.modules[name] = module


def canned_reward(prompts):
    return [Reward((len(prompt["text"]) % 7 - 3) / 4) for prompt in prompts]


def solver_of(clone: Path):
    """Its solver, agent class and configuration."""
    sys.path.insert(0, str(clone))
    os.chdir(clone)
    stand_in("vllm", LLM=Engine, SamplingParams=lambda **_: None)
    stand_in("vllm.outputs", RequestOutput=Request, CompletionOutput=Completion)
    stand_in("math_evaluation", is_equiv=lambda gold, given: gold == given)
    stand_in("latex2sympy2", latex2sympy=None)
    from omegaconf import OmegaConf
    from rstar_deepthink.agents import MCTS
    from rstar_deepthink.config import BaseConfig
    from rstar_deepthink.solver import Solver

    changes = {
        "model_dir": str(clone),
        "need_value_func": False,
        "is_sampling": True,
        "n_generate_sample": CANDIDATES,
        "save_intermediate_rollouts": False,
    }
    custom = OmegaConf.load("config/sft_sample_mcts.yaml")
    config = OmegaConf.merge(OmegaConf.structured(BaseConfig), custom, changes)
    config = OmegaConf.create(OmegaConf.to_yaml(config, resolve=True))
    solver = Solver(config=config)
    solver.need_value_func, solver.reward_model = True, canned_reward
    return solver, MCTS, config


def cpu_seconds() -> float:
    """Of this process and of the pools that have ended."""
    gone = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + gone.ru_utime + gone.ru_stime


def grow(clone: Path, trees: int) -> tuple[int, float]:
    solver, agent, config = solver_of(clone)
    config.iterations = solver.max_agent_steps = 2
    agents = [
        agent(config=config, question=f"Question {n}?", ground_truth="7") for n in range(trees)
    ]
    started = cpu_seconds()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        found = solver.solve(agents, "", [])
    return sum(len(tree) - 1 for tree in found.values()), cpu_seconds() - started


def main(clone: Path) -> None:
    for trees in (1, 32):
        nodes, seconds = grow(clone, trees)
        print(f"the reference's solver, programs run, {trees} trees\t{nodes}\t{seconds}")
    from rstar_deepthink.agents import mcts

    mcts.code_execution = lambda node, parsed: "7"
    for trees in (1, 32):
        nodes, seconds = grow(clone, trees)
        print(f"the reference's solver, no program run, {trees} trees\t{nodes}\t{seconds}")


main(Path(sys.argv[2]))
