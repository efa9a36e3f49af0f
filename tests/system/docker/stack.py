"""A stack of docker-compose.yml under a name of its own, driven as an operator would."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
FILES = ("docker-compose.yml", "tests/system/docker/compose.test.yml")
BUILD_SECONDS = 1800
PATIENCE_SECONDS = 600

ONE_SHOTS = {"keys", "migrate"}
BROKERS = ("broker-inference", "broker-executor", "broker-reward")
WORKERS = ("executor", "inference", "reward")
OURS = (*BROKERS, *WORKERS, "trainer", "coordinator", "view")


class Stack:
    """`docker compose` with one project name and one environment."""

    def __init__(self, project: str, **environment: str) -> None:
        self.project = project
        self.environment = environment
        self._prefix = ["docker", "compose", "--project-name", project, "--profile", "cpu"]
        for file in FILES:
            self._prefix += ["--file", str(ROOT / file)]

    def compose(self, *words: str, text: str = "", seconds: float = PATIENCE_SECONDS) -> str:
        """Run to its end; return standard output, or fail with all that was said."""
        return _run([*self._prefix, *words], self.environment, text, seconds)

    def docker(self, *words: str) -> str:
        return _run(["docker", *words], self.environment, "", PATIENCE_SECONDS)

    def containers(self, *services: str) -> list[str]:
        """Ids, of stopped ones too."""
        return self.compose("ps", "--all", "--quiet", *services).split()

    def inspect(self, *services: str) -> dict[str, list[dict[str, Any]]]:
        """What Docker knows of the containers, by service."""
        found: dict[str, list[dict[str, Any]]] = {}
        for facts in json.loads(self.docker("inspect", *self.containers(*services))):
            found.setdefault(facts["Config"]["Labels"]["com.docker.compose.service"], []).append(
                facts
            )
        return found

    def execute(self, service: str, *words: str, text: str = "") -> str:
        """Run a command in a running container of the service."""
        return self.compose("exec", "--no-TTY", service, *words, text=text)

    def crash(self, service: str) -> None:
        """Kill everything in a running container of the service.

        That ends the container, often before the command's own shell has left it, so the
        shell's exit status says nothing; the caller waits for what follows.
        """
        words = ("exec", "--no-TTY", service, "sh", "-c", "kill -9 -1")
        subprocess.run(
            [*self._prefix, *words],
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            env={**os.environ, **self.environment},
            check=False,
        )

    def sql(self, query: str) -> list[list[str]]:
        """Rows, as anyone with psql would get them."""
        psql = ("psql", "--username=rstar", "--no-align", "--tuples-only", "--command", query)
        return [line.split("|") for line in self.execute("db", *psql).splitlines()]

    def nodes(self) -> set[tuple[str, ...]]:
        """Every node of every tree."""
        return {tuple(row) for row in self.sql("SELECT search_id, path FROM nodes")}

    def health(self, service: str) -> list[str]:
        """One word for each of its containers."""
        states = [facts["State"] for facts in self.inspect(service).get(service, [])]
        return [s["Health"]["Status"] if s["Running"] else s["Status"] for s in states]

    def is_well(self, service: str) -> bool:
        health = self.health(service)
        return bool(health) and set(health) == {"healthy"}

    def wait_until(self, condition: Callable[[], bool], what: str) -> float:
        """Seconds until it held; fails with the logs' ends if that takes too long."""
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE_SECONDS:
            if condition():
                return time.monotonic() - began
            time.sleep(1)
        raise AssertionError(f"{what} did not happen:\n{self.compose('logs', '--tail=15')}")


def _run(words: list[str], environment: dict[str, str], text: str, seconds: float) -> str:
    done = subprocess.run(
        words,
        input=text,
        text=True,
        capture_output=True,
        timeout=seconds,
        env={**os.environ, **environment},
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout
