"""The overlays of `deploy/kubernetes` as objects, rendered by kubectl, without a cluster."""

import functools
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

ROOT = Path(__file__).parents[2]
OVERLAYS = ("cpu", "gpu", "multi-node")
# Containers that place files or wait for them, and have no service of their own in compose.
HELPERS = {"secrets", "scripts", "run", "fetch", "publish"}

Object = dict[str, Any]


class Container(NamedTuple):
    """One container with the pod template that it is in and the object that makes these pods."""

    spec: Object
    pod: Object
    owner: Object

    @property
    def name(self) -> str:
        return self.spec["name"]


@functools.cache
def render(overlay: str) -> list[Object]:
    """Every object of an overlay; skips where no program is that renders it."""
    folder = ROOT / "deploy/kubernetes/overlays" / overlay
    for words in (["kubectl", "kustomize"], ["kustomize", "build"]):
        if shutil.which(words[0]):
            done = subprocess.run([*words, folder], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            return list(yaml.safe_load_all(done.stdout))
    pytest.skip("neither kubectl nor kustomize is here")


def pod_templates(owner: Object) -> Iterator[Object]:
    """The templates in an object, wherever its kind has them: whatever has `spec.containers`."""
    for value in owner.values():
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                if isinstance(part.get("spec"), dict) and "containers" in part["spec"]:
                    yield part
                else:
                    yield from pod_templates(part)


def all_containers(overlay: str) -> Iterator[Container]:
    for owner in render(overlay):
        for pod in pod_templates(owner):
            for spec in (*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]):
                yield Container(spec, pod, owner)


def containers(overlay: str) -> dict[str, Container]:
    """Those that have a service in compose, by name; of a group the leader's."""
    found: dict[str, Container] = {}
    for container in all_containers(overlay):
        if container.name not in HELPERS:
            found.setdefault(container.name, container)
    return found


def settings(overlay: str) -> dict[str, str]:
    """The ConfigMap that the pods read as environment."""
    (run,) = [o for o in render(overlay) if o["kind"] == "ConfigMap"]
    return run["data"]


def networks(pod: Object) -> set[str]:
    """The networks that the pod's labels make it a member of."""
    labels = pod["metadata"]["labels"]
    return {label.removeprefix("network.rstar/") for label in labels if "network.rstar/" in label}
