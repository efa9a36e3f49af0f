"""What all sections share: their base class, and the kinds of numbers that settings are.

Every number has a lower and an upper bound. The upper ones are far above what any machine can use:
they catch typing mistakes and overflows.
"""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

Dtype = Literal["auto", "fastest", "float32", "bfloat16"]
ServingDtype = Literal["auto", "fastest", "float32", "bfloat16", "int8"]

Count: TypeAlias = Annotated[int, Meta(ge=1, le=1_000_000)]
# 0 means none, all or no limit, as the comment of the setting says.
Amount: TypeAlias = Annotated[int, Meta(ge=0, le=1_000_000_000_000)]
# Processes, threads and other things that a machine has few of.
Processes: TypeAlias = Annotated[int, Meta(ge=1, le=1024)]
ProcessesOrNone: TypeAlias = Annotated[int, Meta(ge=0, le=1024)]
Mebibytes: TypeAlias = Annotated[int, Meta(ge=1, le=16_777_216)]
MebibytesOrNone: TypeAlias = Annotated[int, Meta(ge=0, le=16_777_216)]
Seed: TypeAlias = Annotated[int, Meta(ge=0, le=2**63 - 1)]
# Of generated problems: beyond the highest hardly one stays within its numbers.
Level: TypeAlias = Annotated[int, Meta(ge=1, le=6)]
Port: TypeAlias = Annotated[int, Meta(ge=1, le=65535)]
PortOrNone: TypeAlias = Annotated[int, Meta(ge=0, le=65535)]

Seconds: TypeAlias = Annotated[float, Meta(gt=0, le=10_000_000)]
SecondsOrNone: TypeAlias = Annotated[float, Meta(ge=0, le=10_000_000)]
# From 0 to below 1.
Share: TypeAlias = Annotated[float, Meta(ge=0, lt=1)]
# Of an optimiser.
LearningRate: TypeAlias = Annotated[float, Meta(gt=0, le=1)]
WeightDecay: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Epochs: TypeAlias = Annotated[float, Meta(gt=0, le=1000)]
# 0 is greedy.
Temperature: TypeAlias = Annotated[float, Meta(ge=0, le=100)]
# A factor that multiplies or divides.
Scale: TypeAlias = Annotated[float, Meta(gt=0, le=1000)]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all sections."""
