"""The command line of a server; pure."""

import importlib.util
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from rstar_async.errors import BadInput

INSTALLED = f"{shlex.quote(sys.executable)} -m sglang.launch_server --model-path {{model}} "
INSTALLED += "--host 127.0.0.1 --port {port}"
# Otherwise its log would be full of health checks.
QUIET = ("--log-level-http", "warning")


@dataclass(frozen=True, slots=True)
class Command:
    """`template` names the program, with {model} and {port}; `arguments` are appended to it."""

    template: str = INSTALLED
    arguments: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not {"{model}", "{port}"} <= set(_words(self.template)):
            raise BadInput(f"the command {self.template!r} must name {{model}} and {{port}}")

    def check(self) -> None:
        """`BadInput` if the program does not exist."""
        if self.template == INSTALLED and importlib.util.find_spec("sglang") is None:
            raise BadInput("SGLang is not installed here; pip install 'rstar-async[sglang]'")
        program = _words(self.template)[0]
        if shutil.which(program) is None:
            raise BadInput(f"there is no program {program} to start SGLang with")

    def argv(self, model: Path, port: int, role: tuple[str, ...]) -> tuple[str, ...]:
        """The command for one model; the user's arguments come last and win."""
        values = {"{model}": str(model), "{port}": str(port)}
        words = (values.get(word, word) for word in _words(self.template))
        return (*words, *QUIET, *role, *self.arguments)


def _words(template: str) -> list[str]:
    try:
        return shlex.split(template)
    except ValueError as error:
        raise BadInput(f"the command {template!r} cannot be read: {error}") from None
