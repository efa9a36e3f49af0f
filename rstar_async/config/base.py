"""What all sections share."""

from typing import Literal

import msgspec

Dtype = Literal["auto", "float32", "bfloat16"]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all sections."""
