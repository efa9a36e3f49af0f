"""How fast this machine could at best decode and prefill a model, and what share of it was reached.

A step of decoding reads all weights once and multiplies them by a token of every sequence, so it
takes the longer of the two: bytes over bandwidth binds one sequence, products over the rate of
matrix multiplication bind many. Keys, values and everything between the matrices are left out, so
100 % cannot be reached.
"""

from typing import NamedTuple

from benchmarks.engine.sizes import Sizes


class Format(NamedTuple):
    """How a matrix is stored, and the type that it is multiplied in."""

    bytes_each: float
    product: str


FLOAT32, BFLOAT16 = Format(4, "float32"), Format(2, "bfloat16")
BYTES = Format(1, "int8")
# GGUF's blocks: 32 numbers and a scale of two bytes.
Q8_0, Q4_0 = Format(34 / 32, "int8"), Format(18 / 32, "int8")


class Stored(NamedTuple):
    """How an engine stores the decoder and the head."""

    decoder: Format
    head: Format


class Machine(NamedTuple):
    """Measured in one run: bytes and floating-point operations by the second. Of a CPU second or of
    one on the clock; limits are in the same."""

    bandwidth: float
    operations: dict[str, float]


def decode_limit(machine: Machine, sizes: Sizes, stored: Stored, sequences: int) -> float:
    """Tokens by the second, of all sequences together."""
    read = sizes.decoder * stored.decoder.bytes_each + sizes.head * stored.head.bytes_each
    reading = read / machine.bandwidth
    multiplying = _seconds(machine, sizes.decoder, stored.decoder)
    multiplying += _seconds(machine, sizes.head, stored.head)
    return sequences / max(reading, sequences * multiplying)


def prefill_limit(machine: Machine, sizes: Sizes, stored: Stored) -> float:
    """Tokens by the second; only the last of a prompt passes through the head."""
    return 1 / _seconds(machine, sizes.decoder, stored.decoder)


def _seconds(machine: Machine, parameters: int, format_: Format) -> float:
    """Of one token."""
    return 2 * parameters / machine.operations[format_.product]
