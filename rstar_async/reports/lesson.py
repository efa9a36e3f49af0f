"""What a run learnt, or why it learnt nothing and which settings to try."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from rstar_async.config import Recipe
from rstar_async.evaluation.intervals import Share, mean_difference
from storage import queries
from storage.database import Database
from storage.records import Evaluation, ModelVersion

# A kind of ending that at least this share of the steps has is worth a remedy.
MANY = 0.25
# A training of fewer optimiser steps hardly changes a model.
FEW_STEPS = 30
# A learning rate that models below a billion parameters, and adapters, can take.
SMALL_MODELS_RATE = 1e-4


@dataclass(frozen=True, slots=True)
class Searched:
    """The searches of the last round: problems, those solved, and its steps by how they ended."""

    problems: int = 0
    solved: int = 0
    endings: Mapping[str, int] = field(default_factory=dict)
    answers: int = 0

    @property
    def steps(self) -> int:
        return sum(self.endings.values())


@dataclass(frozen=True, slots=True)
class Lesson:
    """`learnt` is False if the policy was to be trained and never was; `reason` says why, or why it
    was trained in vain, "" if all is well; `found` is what its searches found and `remedies` are
    settings to try. `gain` is the rise of pass@1 on the held-out problems since the first
    measurement, None if there are not two."""

    learnt: bool
    reason: str = ""
    found: str = ""
    remedies: tuple[str, ...] = ()
    accuracy: float | None = None
    gain: Share | None = None


def lesson_of(database: Database, recipe: Recipe) -> Lesson:
    """The lesson of a run that is complete."""
    run = recipe.name
    versions = database.read(queries.model_versions_of, run)
    accuracy, gain = _measured(database, run)
    trained = [v for v in versions if v.kind == "policy" and v.round and v.status != "refused"]
    if trained or not recipe.policy.train or not recipe.rounds:
        lesson = Lesson(True, accuracy=accuracy, gain=gain)
        is_well = accuracy == 1.0 or (gain is not None and gain.low > 0)
        return lesson if is_well or not trained else with_few_steps(lesson, recipe, trained[-1])
    searched = _searched(database, run)
    return Lesson(
        False,
        reason_of(versions),
        found_in(searched),
        tuple(remedies(recipe, searched)),
        accuracy,
        gain,
    )


def with_few_steps(lesson: Lesson, recipe: Recipe, policy: ModelVersion) -> Lesson:
    """The lesson with a remedy if the policy's training was too short to show anything. Pure."""
    steps = policy.metrics.get("steps")
    if not isinstance(steps, int) or steps >= FEW_STEPS:
        return lesson
    smaller, longer = max(2, recipe.policy.batch_size // 4), 2 * recipe.policy.epochs
    found = [
        "--problems FILE  with more problems that it can solve",
        f"--policy.batch_size {smaller} --policy.epochs {longer:g}  makes more steps of them",
    ]
    if recipe.policy.learning_rate < SMALL_MODELS_RATE:
        found.append(f"--policy.learning_rate {SMALL_MODELS_RATE:g}  for small models and LoRA")
    reason = f"the last policy was trained for {steps} optimiser steps, too few to change much"
    return replace(lesson, reason=reason, remedies=tuple(found))


def reason_of(versions: Sequence[ModelVersion]) -> str:
    """Why the last round published no policy."""
    refused = [v for v in versions if v.kind == "policy" and v.status == "refused"]
    return refused[-1].reason if refused else "no round was trained on"


def found_in(searched: Searched) -> str:
    """What the steps of the last round came to, in a few words."""
    if not searched.steps:
        return ""
    counts = [
        (searched.endings.get("unfinished", 0), "had no end"),
        (searched.endings.get("malformed", 0), "were not in the format"),
        (searched.endings.get("code_error", 0), "failed as code"),
        (searched.endings.get("too_deep", 0), "came too late (too deep)"),
        (searched.endings.get("too_long", 0), "did not fit the context"),
        (searched.answers, "answered" if searched.solved else "answered, all wrong"),
    ]
    shown = [f"{count:,} {words}" for count, words in counts if count]
    return f"of {searched.steps:,} steps {', '.join(shown) or 'all ran, and none answered'}"


def remedies(recipe: Recipe, searched: Searched) -> list[str]:
    """Settings that help against what most steps came to, each with what it does."""
    if searched.solved:
        return [
            f"--policy.max_length {2 * recipe.policy.max_length}  keeps longer solutions",
            "--search.max_tokens, --search.max_depth  smaller: makes solutions shorter",
        ]
    found: list[str] = []
    if _many(searched, "unfinished", "malformed", "code_error"):
        found += _teach_format(recipe)
    if _many(searched, "unfinished"):
        found.append(
            f"--search.max_tokens {2 * recipe.search.max_tokens}  if steps are merely cut off"
        )
    if _many(searched, "too_deep"):
        found.append(f"--search.max_depth {2 * recipe.search.max_depth}  allows more steps")
    if _many(searched, "too_long"):
        found.append("--problems FILE  with shorter questions, or a model with a longer context")
    rollouts, candidates = 2 * recipe.search.rollouts, 2 * recipe.search.candidates
    found.append(f"--search.rollouts {rollouts} --search.candidates {candidates}  tries more")
    found.append("--problems FILE  with easier problems first, or --model with a stronger model")
    return found


def _teach_format(recipe: Recipe) -> list[str]:
    if recipe.bootstrap.kind == "demonstrations":
        more = 2 * recipe.bootstrap.demonstrations
        return [f"--bootstrap.demonstrations {more}  teaches the format for longer"]
    return [
        "--bootstrap.kind demonstrations  teaches the format on generated problems first",
        "--bootstrap.source FILE  teaches it on solved examples of your own",
    ]


def _many(searched: Searched, *endings: str) -> bool:
    of_kind = sum(searched.endings.get(ending, 0) for ending in endings)
    return of_kind >= MANY * searched.steps > 0


def _searched(database: Database, run: str) -> Searched:
    rounds = [r.number for r in database.read(queries.rounds_of, run) if r.number]
    if not rounds:
        return Searched()
    outcomes = database.read(queries.problem_outcomes, run, rounds[-1])
    endings = database.read(queries.step_counts, run, rounds[-1]).statuses
    solved = sum(outcome.solved for outcome in outcomes)
    return Searched(len(outcomes), solved, endings, endings.get("answer", 0))


def _measured(database: Database, run: str) -> tuple[float | None, Share | None]:
    """The last pass@1 of the policy, and its rise since the first, paired by problem."""
    measured = [e for e in database.read(queries.evaluations_of, run) if _is_of_round(e)]
    if not measured:
        return None, None
    first, last = measured[0], measured[-1]
    if first.round == last.round:
        return last.pass_at_1, None
    before, after = (
        queries.success_rates(database.read(queries.answers_of, e.id)) for e in (first, last)
    )
    both = sorted(before.keys() & after.keys())
    gain = mean_difference([after[p] for p in both], [before[p] for p in both]) if both else None
    return last.pass_at_1, gain


def _is_of_round(evaluation: Evaluation) -> bool:
    """Measured by the run itself, not by `rstar evaluate`."""
    return evaluation.method == "policy"
