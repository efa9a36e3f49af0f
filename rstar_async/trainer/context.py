"""The run as the trainer sees it: its settings, its database and its model versions."""

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import to_builtins
from transformers import AutoConfig

from rstar_async.config import Recipe, Section
from rstar_async.data.solved_examples import solved_examples
from rstar_async.domains.base import Domain
from rstar_async.domains.registry import domain_of
from rstar_async.errors import RstarError
from rstar_async.sanitize import checked_name
from rstar_async.text.bos import bos_ids_in
from rstar_async.text.encoding import Encoder, PromptStyle
from rstar_async.trainer import distributed
from rstar_async.trainer.checkpoint_io import save_chat_template
from rstar_async.trainer.checkpoints import clear_checkpoints
from rstar_async.trainer.dataset import SFTRow, demonstration_row
from rstar_async.trainer.progress import TrainingProgress
from rstar_async.trainer.publish import draft, publish
from storage import queries
from storage.database import Database
from storage.records import ModelKind, ModelVersion, Record, RoundProgress

LIBRARIES = ("torch", "transformers", "trl", "accelerate", "tokenizers")
PROBE_QUESTION = "Tom has 3 coins. He finds 4 more. How many coins does he have?"
PROBE_STEPS = (
    "<code>\n# He finds 4 more.\ncoins = 3 + 4\n<end_of_step>",
    "<code>\n# He finds 4 more.\ncoins = 3 - 4\n<end_of_step>",
)

# Trains into a folder, reports its progress, and returns metrics.
Training: TypeAlias = Callable[[Path, TrainingProgress], dict[str, Any]]


@dataclass(frozen=True)
class TrainingContext:
    """One run: reads its models and settings, makes and stores new versions."""

    recipe: Recipe
    run: str
    database: Database
    should_stop: Callable[[], bool] = field(default=lambda: False)

    @cached_property
    def domain(self) -> Domain:
        return domain_of(self.recipe)

    @property
    def models(self) -> Path:
        return self.recipe.models_folder

    @property
    def training_folder(self) -> Path:
        return self.recipe.home_folder / "training"

    def seed(self, round_number: int) -> int:
        return self.recipe.seed * 1000 + round_number

    def progress(self, phase: str, round_number: int) -> TrainingProgress:
        """Reports to `<home>/training/progress.jsonl`, one line per step."""
        self.training_folder.mkdir(parents=True, exist_ok=True)
        file = self.training_folder / "progress.jsonl"
        return TrainingProgress(phase, round_number, file, self.training_folder, self.should_stop)

    def versions(self) -> list[ModelVersion]:
        return self.database.read(queries.model_versions_of, self.run)

    def base(self) -> ModelVersion | None:
        """The base model's version, from which all others descend."""
        usable = [v for v in self.versions() if v.kind == "policy" and v.status == "published"]
        return next((v for v in usable if v.parent_id is None), None)

    def made_in(self, round_number: int) -> list[ModelVersion]:
        """What a round trained and published; the base is not trained here."""
        published = [
            v for v in self.versions() if v.round == round_number and v.status == "published"
        ]
        return [version for version in published if version.parent_id is not None]

    def newest_policy(self, up_to_round: int) -> ModelVersion:
        policy = self.database.read(queries.latest_published, self.run, "policy", up_to_round)
        if policy is None:
            raise RstarError(f"run {self.run} has no policy of round {up_to_round} or before")
        return policy

    def style_of(self, policy_id: str) -> PromptStyle:
        """How the policy that wrote a tree was prompted."""
        policy = self.database.read(queries.model_version, policy_id)
        if policy is None:
            raise RstarError(f"run {self.run} has trees of the unknown policy {policy_id!r}")
        style: PromptStyle = policy.manifest["prompt_style"]
        return style

    def folder(self, model: ModelVersion) -> Path:
        return self.models / checked_name(model.id)

    def encoder(self, model: ModelVersion) -> Encoder:
        """Encodes prompts for a trained policy, even if `model` itself gets few-shot prompts."""
        return Encoder.load(self.folder(model), "tagged", self.domain.prompts)

    def max_length(self, configured: int, model: ModelVersion) -> int:
        """`configured`, or the model's context if that is shorter."""
        return max_length(configured, self.folder(model))

    def demonstrations(self, count: int, encoder: Encoder) -> list[SFTRow]:
        """The first `count` of the run's demonstrations: the user's own examples, else generated
        ones."""
        if not count:
            return []
        if self.recipe.bootstrap.source:
            own = solved_examples(self.recipe)[:count]
            return [demonstration_row(e.question, e.solution, encoder) for e in own]
        levels = self.recipe.bootstrap.levels
        problems = self.domain.generate(count, levels, self.recipe.seed, "demonstration")
        return [demonstration_row(p.question, p.solution, encoder) for p in problems]

    def manifest_fields(self, style: PromptStyle) -> dict[str, Any]:
        """The fields of a manifest that say where the weights come from."""
        return {
            "prompt_style": style,
            "base": self.recipe.model.base,
            "settings": {},
            "recipe": _shareable(self.recipe),
            "seed": self.recipe.seed,
            "code_revision": code_revision(),
            "libraries": versions_of(LIBRARIES),
            "created_at": time.time(),
        }

    def trained_fields(self, start: ModelVersion, settings: Section) -> dict[str, Any]:
        """The same for a model that is trained from `start` and keeps its prompts."""
        return {
            **self.manifest_fields("tagged"),
            "bos_ids": list(bos_ids_in(start.manifest)),
            "settings": to_builtins(settings),
        }

    def make(
        self,
        kind: ModelKind,
        round_number: int,
        *,
        parent: ModelVersion | None,
        training: Training,
        phase: str,
        manifest_fields: Mapping[str, Any],
        counts: Mapping[str, Any],
    ) -> ModelVersion:
        """Run `training` into a draft and publish it; the caller commits the returned row.

        Its prompts begin as the manifest's fields say or, if they do not, as its tokenizer does.
        """
        progress = self.progress(phase, round_number)
        with draft(self.models) as folder:
            metrics = training(folder, progress)

            def published() -> ModelVersion:
                bos_ids = manifest_fields.get("bos_ids")
                encoder = Encoder.load(folder, "tagged", self.domain.prompts, bos_ids)
                if kind == "policy" and manifest_fields["prompt_style"] == "tagged":
                    save_chat_template(folder, encoder)
                return publish(
                    folder,
                    kind=kind,
                    run=self.run,
                    round_number=round_number,
                    parent=parent.id if parent else None,
                    manifest_fields={**manifest_fields, "bos_ids": list(encoder.bos_ids)},
                    metrics={**counts, **metrics},
                    step_log=progress.step_log,
                    probe=probe(encoder),
                )

            return distributed.on_rank0(published)

    def refuse(
        self,
        kind: ModelKind,
        round_number: int,
        *,
        parent: ModelVersion,
        reason: str,
        counts: Mapping[str, Any],
    ) -> ModelVersion:
        """The row that says why a round made no model of a kind; the previous one stays in use."""
        return ModelVersion(
            id=f"{kind}-r{round_number:03d}-none",
            run_id=self.run,
            kind=kind,
            round=round_number,
            parent_id=parent.id,
            path="",
            status="refused",
            reason=reason,
            metrics={**counts, "reason": reason},
        )

    def finish(self, round_number: int, *records: Record) -> None:
        """Store a round's models and pairs and mark it as trained, in one transaction."""
        done = RoundProgress(self.run, round_number, "trained", trained_at=time.time())
        self.commit(*records, done)
        if distributed.is_rank0():
            clear_checkpoints(self.training_folder / "checkpoints")

    def commit(self, *records: Record) -> None:
        """Store `records`, on rank 0 only."""
        distributed.on_rank0(lambda: self.database.commit(*records))


def probe(encoder: Encoder) -> Sequence[Sequence[int]]:
    """Two short id sequences, each ending in a step to score."""
    prompt = encoder.prompt(PROBE_QUESTION)
    return [[*prompt, *encoder.step(step)] for step in PROBE_STEPS]


def max_length(configured: int, folder: Path) -> int:
    """`configured`, or the context of the model in `folder` if that is shorter."""
    config = AutoConfig.from_pretrained(folder).get_text_config()
    return min(configured, getattr(config, "max_position_embeddings", configured))


def versions_of(packages: Sequence[str]) -> dict[str, str]:
    return {name: version(name) for name in packages}


def _shareable(recipe: Recipe) -> dict[str, Any]:
    """The recipe without the database, whose URL may hold a password, and the home folder."""
    settings: dict[str, Any] = to_builtins(recipe)
    return {name: value for name, value in settings.items() if name not in ("database", "home")}


def code_revision() -> str:
    """The package's version, and the commit if it runs from a checkout."""
    released = version("rstar-async")
    git = ("git", "-C", str(Path(__file__).parent), "rev-parse", "--short=12", "HEAD")
    try:
        result = subprocess.run(git, capture_output=True, text=True, check=False)
    except OSError:
        return released
    return f"{released}+g{result.stdout.strip()}" if result.returncode == 0 else released
