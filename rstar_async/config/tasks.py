"""The base model, its bootstrap, the problems, and how answers are judged."""

from typing import Annotated, Literal

from msgspec import Meta

from rstar_async.config.base import (
    Amount,
    Count,
    Epochs,
    LearningRate,
    Level,
    Section,
    ServingDtype,
)

PromptSource = Literal["demonstrations", "few_shot", "checkpoint"]


class ModelConfig(Section):
    """The base model, from which the policy of every round is trained."""

    # "demo" is the tiny model in this package, "demo-programs" the one that programs,
    # "package:NAME" the GGUF file in an installed Python package; else a Hugging Face folder, a
    # GGUF file, or a hub id.
    base: str = "demo"
    # Data type of inference: auto is float32 on CPUs, bfloat16 on GPUs; fastest is bfloat16 also on
    # CPUs that the engine local measures to be faster in it. int8, on CPUs by the engine local: the
    # weights of the policy's layers and their inputs in 8 bits, a little less exact; all else in
    # the fastest type.
    dtype: ServingDtype = "auto"


class BootstrapConfig(Section):
    """The policy of round 1, which must know the format (paper: a 236B model, few-shot)."""

    # few_shot: prompt the base model; demonstrations: SFT on easy solved problems; checkpoint: the
    # base model knows the format already.
    kind: PromptSource = "few_shot"
    # For few_shot: a stronger model that searches in round 1 only; empty: the base model itself.
    model: str = ""
    # For demonstrations: a file of solved examples (question, solution, answer), see
    # docs/own_model.md; empty: generated problems. If it is given, `kind` is demonstrations.
    source: str = ""
    # How many solved examples are learnt from: the first of `source`, or so many generated ones.
    demonstrations: Count = 160
    # Levels of generated ones (number of operations).
    levels: Annotated[tuple[Level, ...], Meta(min_length=1)] = (1, 2, 3)
    # Passes over the examples.
    epochs: Epochs = 2.0
    # Peak learning rate of this training.
    learning_rate: LearningRate = 2e-4
    # Examples per optimiser step.
    batch_size: Count = 8


class ProblemsConfig(Section):
    """Where questions and their answers come from."""

    # The kind of problem: "math", "programming", or a domain that another package adds (see
    # docs/domains.md).
    domain: str = "math"
    # "generated"; or a JSONL, JSON, CSV, TSV or parquet file, a folder with a saved dataset, or
    # "hf:NAME@SPLIT" of a hub.
    source: str = "generated"
    # Name of the column with questions; "reward_model.ground_truth" reaches into an object, and
    # "Body + Question" joins columns.
    question: str = "question"
    # Name of the column with answers. A whole solution of GSM8K is one too: what follows `####`.
    answer: str = "answer"
    # For programming: name of the column with the name of the function that is asked for.
    entry_point: str = "entry_point"
    # For programming: name of the column with source in front of a program and of its tests.
    setup: str = "setup"
    # For programming: name of the column with a right program, which finds broken tests.
    solution: str = "solution"
    # Leave out rows that cannot be used (null, NaN, an answer that is a list or an object, a
    # question with two different answers) and report how many; off: such rows are refused.
    skip_bad: bool = False
    # A second file, for the held-out problems.
    heldout_source: str = ""
    # Without it, how many of the last rows of `source` are set aside; auto: a fifth of them, 100 at
    # most, chosen by their questions.
    heldout: Amount | Literal["auto"] = "auto"
    # Levels of held-out problems, for "generated".
    heldout_levels: Annotated[tuple[Level, ...], Meta(min_length=1)] = (1, 2, 3, 4, 5, 6)
    # Use only the first rows; 0 means all.
    limit: Amount = 0


class AnswersConfig(Section):
    """When an answer counts as right."""

    # "reference": as permissive as the released code (a factor of 100, units ignored).
    rules: Literal["strict", "reference"] = "strict"
