"""The model card of a published version."""

from collections.abc import Mapping
from typing import Any

from rstar_async.config.layers import flattened

TASK = {"policy": "text-generation", "ppm": "text-classification"}
USE = {
    "policy": "It writes one reasoning step at a time, comments and Python, executed in between.",
    "ppm": "It scores the last step of a solution so far: tanh(score / {scale:g}), from -1 to 1.",
}
FIGURES = (
    "problems_solved", "trajectories", "rows", "loss_tokens", "pairs", "pairs_heldout", "targets",
    "tokens", "steps", "loss_first", "loss_last", "pair_accuracy", "pair_accuracy_by_problem",
    "train_seconds",
)  # fmt: skip


def model_card(manifest: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """Markdown with the front matter that model hubs read."""
    kind = manifest["kind"]
    figures = {name: metrics[name] for name in FIGURES if metrics.get(name) is not None}
    lines = [
        *("---", "library_name: transformers", f"pipeline_tag: {TASK[kind]}"),
        *("tags: [rstar-math]", "---", "", f"# {manifest['id']}", ""),
        f"The {kind} of round {manifest['round']} of run `{manifest['run']}`, trained by"
        f" rstar_async {manifest['code_revision']}. {_use(kind, manifest)}",
        "",
        f"- base: `{manifest['base']}`",
        f"- trained from: {_name(manifest['parent'])}",
        f"- prompt style: {manifest['prompt_style']}",
        *([f"- prompts begin with the ids {bos}"] if (bos := manifest.get("bos_ids")) else []),
        f"- architecture: {manifest['architecture']}",
        "",
        "Held-out problems were never trained on. `manifest.json` has the checksum of every file,",
        "all settings and the versions of the libraries; `metrics.jsonl` the loss of each step.",
        *_section("Training", figures),
        *_section("Settings", flattened(manifest["settings"])),
    ]
    return "\n".join(lines) + "\n"


def _use(kind: str, manifest: Mapping[str, Any]) -> str:
    return USE[kind].format(scale=manifest.get("scale", 1.0))


def _name(parent: str | None) -> str:
    return f"`{parent}`" if parent else "nothing; it is the base with the format's tags"


def _section(title: str, values: Mapping[str, Any]) -> list[str]:
    if not values:
        return []
    rows = [f"| {name} | {value} |" for name, value in values.items()]
    return ["", f"## {title}", "", "| | |", "|---|---|", *rows]
