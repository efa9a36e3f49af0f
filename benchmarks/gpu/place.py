"""What every part is told: where to work, how to start SGLang, which models there are."""

import shlex
from pathlib import Path
from typing import Final, Literal

import msgspec

from workers.engines.sglang.command import INSTALLED, Command
from workers.engines.sglang.deployment import ROUGH_TOLERANCE, TOLERANCE

ServerRole = Literal["policy", "ppm"]

POLICY: Final = "policy"
PPM: Final = "ppm"
# In the order in which servers start; each takes its share of what is free then.
CARD_ARGUMENTS: dict[ServerRole, tuple[str, ...]] = {
    POLICY: ("--dtype", "bfloat16", "--mem-fraction-static", "0.4"),
    PPM: ("--dtype", "bfloat16", "--mem-fraction-static", "0.3"),
}


class Place(msgspec.Struct, frozen=True):
    """`base` names a base model as `model.base` of a recipe does; `ports` are those of the policy's
    and the PPM's server; `arguments` are more of SGLang's own; `parts` is a package of parts."""

    folder: str
    launch: str
    base: str
    ports: dict[ServerRole, int]
    on_card: bool
    short: bool
    arguments: str = ""
    parts: str = "benchmarks.gpu.parts"

    @property
    def home(self) -> Path:
        return Path(self.folder)

    @property
    def file(self) -> Path:
        """Where a part finds this place."""
        return self.home / "place.json"

    def findings(self, part: str) -> Path:
        return self.home / f"{part}.jsonl"

    def ready(self, part: str) -> Path:
        """What a part that stays writes when others can use it."""
        return self.home / f"{part}.ready"

    @property
    def models(self) -> Path:
        """The folder of the versions "policy" and "ppm"."""
        return self.home / "models"

    @property
    def tolerance(self) -> float:
        """How far log probabilities and scores of a server may be from transformers' in float32."""
        return ROUGH_TOLERANCE if self.on_card else TOLERANCE["float32"]

    @property
    def launches_otherwise(self) -> bool:
        """Whether something else than the SGLang installed here is started."""
        return self.launch != INSTALLED

    def url(self, role: ServerRole) -> str:
        return f"http://127.0.0.1:{self.ports[role]}"

    def command(self, role: ServerRole, *more: str) -> Command:
        """What starts the server of this role; without a card, as the launcher alone has it."""
        fitting = CARD_ARGUMENTS[role] if self.on_card else ()
        return Command(self.launch, (*fitting, *shlex.split(self.arguments), *more))
