"""docker-compose.yml as data: services by profile, with their variables put in."""

import re
import shlex
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
VARIABLE = re.compile(r"\$\{(\w+)(?::([-+?]))?([^{}]*)\}")
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())

Service = dict[str, Any]


def services(profile: str) -> dict[str, Service]:
    return {n: s for n, s in COMPOSE["services"].items() if profile in s.get("profiles", ())}


def interpolated(text: str, variables: dict[str, str]) -> str:
    """`text` with `${NAME}`, `${NAME:-otherwise}` and `${NAME:+instead}` filled in, inner first."""

    def value(match: re.Match[str]) -> str:
        name, operator, word = match.groups()
        known = variables.get(name, "")
        return {"-": known or word, "+": word if known else ""}.get(operator, known)

    while VARIABLE.search(text):
        text = VARIABLE.sub(value, text)
    return text


def words(service: Service, variables: dict[str, str]) -> list[str]:
    """The command as its process gets it."""
    command = service["command"]
    if isinstance(command, list):
        return command
    return shlex.split(interpolated(command, variables))


def image(service: Service) -> str:
    return interpolated(service["image"], {})


def mounts(service: Service) -> dict[str, tuple[str, bool]]:
    """Named volumes: where each is mounted, and whether to be read only."""
    found = {}
    for volume in service.get("volumes", ()):
        source, target, *mode = interpolated(volume, {}).split(":")
        if source in COMPOSE["volumes"]:
            found[source] = (target, mode == ["ro"])
    return found


def size_of_tmp(service: Service) -> str | None:
    """In the spelling of Kubernetes; None where compose sets none."""
    found = re.search(r"^/tmp:size=(\d+)([mg])", " ".join(service.get("tmpfs", ())))
    return f"{found[1]}{found[2].upper()}i" if found else None
