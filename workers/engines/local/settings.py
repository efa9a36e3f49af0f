"""The settings of the local engine, readable without torch."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class LocalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """For policies and PPMs alike."""

    rows: Annotated[int, Meta(gt=0, description="samples decoded at once")] = 128
    cache_mib: Annotated[int, Meta(ge=0, description="prefix cache of each version; 0: none")] = (
        1024
    )
    device: Annotated[str, Meta(description="auto, cpu, cuda or cuda:N")] = "auto"
    dtype: Annotated[
        Literal["auto", "fastest", "float32", "bfloat16", "int8"],
        Meta(
            description="auto: float32 on CPUs, bfloat16 on GPUs; fastest: as measured; "
            "int8: a policy on a CPU"
        ),
    ] = "auto"
    threads: Annotated[
        int | None, Meta(description="threads that torch computes with; default: torch's own")
    ] = None
    models_in_memory: Annotated[int, Meta(gt=0, description="versions loaded at a time")] = 1
    prefill_tokens: Annotated[
        int, Meta(gt=0, description="new prompt tokens of one forward pass")
    ] = 2048
    batch_tokens: Annotated[int, Meta(gt=0, description="tokens of one forward pass of a PPM")] = (
        2048
    )


DEFAULTS = LocalSettings()
